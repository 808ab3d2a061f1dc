"""What mim, the citation file and the changelog say is what stands."""

import runpy
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config

OPTIMIZERS = dict(AdamW='AdamW', SGD='SGD with Momentum')


def load(path):
    return yaml.safe_load(path.read_text(encoding='utf-8'))


@pytest.fixture(scope='module')
def version(root):
    return runpy.run_path(str(root / 'mmmutual' / 'version.py'))['__version__']


@pytest.fixture(scope='module')
def metafiles(root):
    """Path relative to the root -> content, for every metafile that the index imports."""
    return {name: load(root / name) for name in load(root / 'model-index.yml')['Import']}


def test_index_imports_every_metafile(root, metafiles):
    assert set(metafiles) == {str(path.relative_to(root)) for path in (root / 'configs').rglob('metafile.yml')}


def test_every_shipped_config_is_a_model(root, metafiles):
    listed = [model['Config'] for content in metafiles.values() for model in content['Models']]
    shipped = [path for path in (root / 'configs').rglob('*.py') if '_base_' not in path.parts]
    assert sorted(listed) == sorted(str(path.relative_to(root)) for path in shipped)


def test_models_are_complete(root, metafiles):
    for name, content in metafiles.items():
        collections = {collection['Name']: collection for collection in content['Collections']}
        for collection in collections.values():
            assert (root / collection['README']).is_file(), collection['README']
            assert set(collection['Paper']) >= {'Title', 'URL'}
        for model in content['Models']:
            assert model['Name'] == Path(model['Config']).stem, name
            assert model['In Collection'] in collections, name


def test_metadata_is_what_the_config_says(root, metafiles):
    for content in metafiles.values():
        # tools that read the index give a collection's metadata to its models
        assert not any('Training Techniques' in c.get('Metadata', {}) for c in content['Collections'])
        for model in content['Models']:
            cfg, data = Config.fromfile(root / model['Config']), model['Metadata']
            techniques = [OPTIMIZERS[cfg.optim_wrapper.optimizer.type]]
            losses = [loss.type for loss in cfg.model.losses.values()]
            if 'MutualKLLoss' in losses and len(cfg.model.branches) > 1:
                techniques.append('Mutual learning')
            assert data['Training Techniques'] == techniques, model['Name']
            assert data['Epochs'] == cfg.train_cfg.max_epochs, model['Name']
            assert data['Batch Size'] == cfg.train_dataloader.batch_size, model['Name']


def test_config_names_are_unique(root):
    # mim looks a config up by its file name alone.
    names = [path.name for path in (root / 'configs').rglob('*.py')]
    assert len(names) == len(set(names))


def test_dataset_index_names_scripts_that_exist(root):
    for name, entry in load(root / 'dataset-index.yml').items():
        assert set(entry) == {'dataset', 'download_root', 'data_root', 'script'}, name
        assert (root / entry['script']).is_file()


def test_version_is_the_same_everywhere(root, version):
    assert load(root / 'CITATION.cff')['version'] == version
    newest = next(line for line in (root / 'CHANGELOG.md').read_text().splitlines() if line.startswith('## '))
    assert newest.split()[1] == version
