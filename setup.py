"""Packaging of mmmutual; what is not dynamic stands in ``pyproject.toml``."""

import os
import runpy
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

ROOT = Path(__file__).resolve().parent
MIM_ENTRIES = ('tools', 'configs', 'model-index.yml', 'dataset-index.yml')


def read_requirements(name):
    """The requirement lines of ``requirements/{name}.txt``, without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in (line.split('#')[0].strip() for line in lines) if line]


def add_mim_extension(package_dir, link):
    """Put what ``mim`` looks for into ``{package_dir}/.mim``: links into the working copy, or copies.

    Args:
        package_dir (Path): The folder of the package that is being built.
        link (bool): True for an editable install, whose configs and tools are those of the working copy.
    """
    mim_dir = package_dir / '.mim'
    shutil.rmtree(mim_dir, ignore_errors=True)
    mim_dir.mkdir(parents=True)
    for entry in MIM_ENTRIES:
        source, target = ROOT / entry, mim_dir / entry
        if link:
            target.symlink_to(os.path.relpath(source, mim_dir))
        elif source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copyfile(source, target)


class BuildPy(build_py):
    """Wheels carry copies; they are made in the build folder, so that the working copy stays as it is."""

    def run(self):
        target = Path(self.build_lib, 'mmmutual')
        if not self.editable_mode:
            shutil.rmtree(target, ignore_errors=True)  # an earlier build's modules may be gone from the sources
        super().run()
        if not self.editable_mode:
            add_mim_extension(target, link=False)


class EditableWheel(editable_wheel):
    """``pip install -e .``, which never puts 'develop' into ``sys.argv``: pip asks for dist_info and editable_wheel."""

    def run(self):
        add_mim_extension(ROOT / 'mmmutual', link=True)
        super().run()

    def _ensure_dist_info(self):
        # mim and mmengine look for the package at join(<site-packages>, <first line of top_level.txt>), where an
        # editable install has no folder. An absolute line makes that join the working copy.
        super()._ensure_dist_info()
        Path(self.dist_info_dir, 'top_level.txt').write_text(f'{ROOT / "mmmutual"}\nmmmutual\n', encoding='utf-8')


extras = {name: read_requirements(name) for name in ('optional', 'tests', 'docs')}
extras['mim'] = read_requirements('mminstall')
extras['all'] = sorted({line for lines in extras.values() for line in lines})

setup(
    name='mmmutual',
    version=runpy.run_path(str(ROOT / 'mmmutual' / 'version.py'))['__version__'],
    description='The OpenMMLab toolbox for modalities that teach one another',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    keywords='multimodal learning, mutual learning, video understanding, audio-visual learning, OpenMMLab',
    classifiers=[
        'Development Status :: 4 - Beta',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    packages=find_packages(include=['mmmutual', 'mmmutual.*']),
    python_requires='>=3.9',
    install_requires=read_requirements('runtime'),
    extras_require=extras,
    cmdclass={'build_py': BuildPy, 'editable_wheel': EditableWheel},
    zip_safe=False,
)
