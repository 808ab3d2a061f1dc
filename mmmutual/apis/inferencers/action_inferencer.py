"""Videos in, classes out, by one object."""

import json
import logging
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.infer import BaseInferencer
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from torch import Tensor
from tqdm import tqdm

from mmmutual.models import MultiModalClassifier
from mmmutual.models.classifiers.multimodal_classifier import ENSEMBLE
from mmmutual.registry import FUNCTIONS, INFERENCERS, TRANSFORMS
from mmmutual.structures import MultiModalDataSample
from mmmutual.utils.errors import UnreadableMediaError
from mmmutual.utils.seeding import seeded
from mmmutual.utils.whole_output import write_text
from mmmutual.visualization import save_clip_sheet, save_prediction_video, score_panel

from ..launch import test_dataset
from ..model_loading import ConfigLike, choose_device, init_model, list_models, load_model_config
from .clips import FROM_FRAMES, Clip, ClipLike, list_clips, sources_from_video

SUFFIXES = dict(video='.mp4', png='.png')


@INFERENCERS.register_module()
class ActionInferencer(BaseInferencer):
    """Classify videos by every branch of a model and by its ensemble.

    All inputs of the model are made of the one video; optical flow is computed on the fly, at the size of the video.

    Args:
        model: config file, name of a shipped model (:meth:`list_models`), or config.
        weights: checkpoint; None: random weights, with a warning.
        device: default: ``'cuda'`` where there is a GPU, else ``'cpu'``.
        show_progress: whether several clips show a progress bar.
        tta: several views of each clip, by the config's ``tta_pipeline``; else the test data's pipeline is run.
        flow_algorithm: ``'dis'``, ``'farneback'`` or ``'tvl1'``; default: what the config's data say, else ``'dis'``.
        flow_bound: largest displacement of the flow, in pixels; default: what the config's data say, else 20, with
            a warning. It should be that of the training.
        cfg_options: changes to the config, dotted key -> value.

    Raises:
        FileNotFoundError: no such config or checkpoint.
        ValueError: see :func:`~mmmutual.apis.init_model`; a model of another task, one with an input that no video
            has, or a config without the pipeline.

    Example:
        >>> inferencer = ActionInferencer('mml_tsm-r18-narrow_scratch-8x1-30e_mmshapes-rgb', 'epoch_30.pth')
        >>> inferencer('clip.mp4')['predictions'][0]['pred_class']
        'square_clockwise'
    """

    def __init__(
        self,
        model: ConfigLike,
        weights: Union[str, Path, None] = None,
        device: Union[str, torch.device, None] = None,
        show_progress: bool = True,
        tta: bool = False,
        flow_algorithm: Optional[str] = None,
        flow_bound: Optional[float] = None,
        cfg_options: Optional[Dict[str, Any]] = None,
    ) -> None:
        cfg = load_model_config(model, cfg_options)
        self.tta = tta
        super().__init__(cfg, weights, choose_device(device), cfg.default_scope, show_progress)
        if not isinstance(self.model, MultiModalClassifier):
            raise ValueError(f'ActionInferencer runs a MultiModalClassifier, got a {type(self.model).__name__}')
        self.classes = self.model.dataset_meta['classes']
        modalities = test_dataset(cfg).get('modalities', {})
        self.sources = sources_from_video(self.model.input_names, modalities, flow_algorithm, flow_bound)

    def __call__(
        self,
        inputs: Union[ClipLike, Sequence[ClipLike]],
        return_datasamples: bool = False,
        batch_size: int = 1,
        branch: str = ENSEMBLE,
        top_k: int = 5,
        out_dir: Union[str, Path, None] = None,
        vis: Optional[str] = 'video',
    ) -> Dict[str, list]:
        """Classify clips.

        A clip that is unreadable is an error if it is the only input; in a folder or a list it is left out with a
        warning.

        Args:
            inputs: a video file, a folder (all videos below it), RGB frames uint8 (T, H, W, 3), or a list of those.
            return_datasamples: give :class:`~mmmutual.structures.MultiModalDataSample` in place of dicts.
            batch_size: clips that pass through the network together.
            branch: whose classes ``pred_label``, ``pred_class`` and ``scores`` are: a branch, or ``'ensemble'``.
            top_k: how many classes are told.
            out_dir: folder for ``predictions.json`` and the pictures; default: nothing is written.
            vis: in ``out_dir``, ``'video'``: the clip with the scores beside it, ``'png'``: what the network was
                given, with the scores above, or None.

        Returns:
            - ``predictions``: for each clip a dict of ``name``, ``pred_label`` (int), ``pred_class``, ``scores`` (the
              ``top_k`` best classes, dicts of ``label``, ``name`` and ``score``, the softmax in [0, 1]) and
              ``branches`` (branch or ``'ensemble'`` -> its ``scores``).
            - ``visualization``: paths of the pictures.
            - ``unreadable``: dicts of ``name`` and ``reason``.

        Raises:
            FileNotFoundError, TypeError, ValueError: see :func:`~mmmutual.apis.inferencers.clips.list_clips`; an
                option with a value that is not allowed; an input that an array can't give.
            UnreadableMediaError: the only input is unreadable.
        """
        self._check_options(branch, top_k, batch_size, vis)
        clips = list_clips(inputs)
        self._check_arrays(clips)
        pictures = _picture_files(clips, out_dir, vis)
        alone = len(clips) == 1 and not (isinstance(inputs, (list, tuple)) or _is_folder(inputs))
        unreadable: List[dict] = []
        samples, predictions, visualization = [], [], []
        for numbers, batch in self.preprocess(clips, batch_size, None if alone else unreadable):
            preds = self.forward(batch)
            results = [self._result(clips[i].name, pred, branch, top_k) for i, pred in zip(numbers, preds)]
            if pictures:
                files = [pictures[i] for i in numbers]
                visualization += self.visualize([clips[i] for i in numbers], results, batch['inputs'], files)
            samples += preds
            predictions += results
        if out_dir is not None:
            text = json.dumps(dict(predictions=predictions, unreadable=unreadable), indent=2, ensure_ascii=False)
            write_text(Path(out_dir, 'predictions.json'), f'{text}\n')
        return self.postprocess(samples if return_datasamples else predictions, visualization, unreadable)

    @staticmethod
    def list_models(pattern: Optional[str] = None) -> List[str]:
        """Names of the shipped models; see :func:`mmmutual.apis.list_models`."""
        return list_models(pattern)

    def preprocess(
        self, inputs: Sequence[Clip], batch_size: int = 1, unreadable: Optional[List[dict]] = None
    ) -> Iterator[Tuple[List[int], dict]]:
        """Numbers of the clips of a batch, and the batch.

        Args:
            inputs: clips.
            batch_size: clips per batch, at most.
            unreadable: takes the names of clips that are left out; None: they raise.
        """
        for chunk in self._get_chunk_data(self._readable(inputs, unreadable), batch_size):
            yield [number for number, _ in chunk], self.collate_fn([data for _, data in chunk])

    def visualize(
        self, inputs: Sequence[Clip], preds: Sequence[dict], network_inputs: Dict[str, Tensor], files: Sequence[Path]
    ) -> List[str]:
        """Write a picture of each clip.

        Args:
            inputs: B clips.
            preds: their results.
            network_inputs: input name -> uint8 (B, T, L * C, H, W), or with views (B, V, ...).
            files: B files; the suffix says what is drawn.

        Returns:
            The files.
        """
        for i, (clip, pred, file) in enumerate(zip(inputs, preds, files)):
            scores = {name: [(s['name'], s['score']) for s in best] for name, best in pred['branches'].items()}
            title = f'{Path(clip.name).name}: {pred["pred_class"]}'
            if file.suffix == SUFFIXES['png']:
                lines = [f'{name}: {", ".join(f"{c} {p:.2f}" for c, p in best)}' for name, best in scores.items()]
                shown = {name: values[i] for name, values in network_inputs.items()}
                save_clip_sheet(file, shown, '\n'.join([title, *lines]))
                continue
            with clip.open() as reader:
                height = reader.get_frames([0]).shape[1]
                panel = score_panel(pred['pred_class'], scores, text_height=max(14, height // 32))
                save_prediction_video(file, reader, reader.fps, panel)
        return [str(file) for file in files]

    def postprocess(self, preds: list, visualization: List[str], unreadable: List[dict]) -> Dict[str, list]:
        """Pack the results."""
        return dict(predictions=preds, visualization=visualization, unreadable=unreadable)

    def _init_model(self, cfg: Config, weights: Optional[str], device: Any) -> MultiModalClassifier:
        return init_model(cfg, weights, device)

    def _init_pipeline(self, cfg: Config) -> Compose:
        if self.tta and cfg.get('tta_pipeline') is None:
            raise ValueError('tta=True needs a tta_pipeline, which the config does not define')
        if cfg.get('test_dataloader') is None or 'pipeline' not in test_dataset(cfg):
            raise ValueError("the config's test_dataloader has no data set with a pipeline, which prepares the clips")
        steps = cfg.tta_pipeline if self.tta else test_dataset(cfg).pipeline
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            return Compose([TRANSFORMS.build(step) for step in steps])

    def _init_collate(self, cfg: Config) -> Callable:
        collate = dict(cfg.test_dataloader.get('collate_fn') or dict(type='pseudo_collate'))
        function = collate.pop('type')
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            return partial(FUNCTIONS.get(function) if isinstance(function, str) else function, **collate)

    def _init_visualizer(self, cfg: Config) -> None:
        """The drawing here needs none of mmengine's."""

    def _readable(self, clips: Sequence[Clip], unreadable: Optional[List[dict]]) -> Iterator[Tuple[int, dict]]:
        """Number and data of each clip that can be read."""
        hide = not self.show_progress or len(clips) == 1
        for number, clip in enumerate(tqdm(clips, desc='clips', unit='clip', disable=hide)):
            try:
                yield number, self._load(clip, number)
            except UnreadableMediaError as error:
                if unreadable is None:
                    raise
                print_log(f'left out: {error}', logger='current', level=logging.WARNING)
                unreadable.append(dict(name=clip.name, reason=error.reason))

    def _load(self, clip: Clip, number: int) -> dict:
        sources = {name: dict(source, path=clip.name) for name, source in self.sources.items()}
        results = dict(key=clip.name, sample_idx=number, sources=sources)
        if clip.frames is not None:
            results['readers'] = {clip.name: clip.open()}
        with seeded(0):  # a pipeline that draws gives the same for the same clip, wherever it stands
            return self.pipeline(results)

    def _result(self, name: str, sample: MultiModalDataSample, branch: str, top_k: int) -> Dict[str, Any]:
        logits = {**sample.logits, ENSEMBLE: sample.fused_logits}
        branches = {key: self._best(values, top_k) for key, values in logits.items()}
        scores = branches[branch]
        best = scores[0]
        return dict(name=name, pred_label=best['label'], pred_class=best['name'], scores=scores, branches=branches)

    def _best(self, logits: Tensor, top_k: int) -> List[Dict[str, Any]]:
        """The best classes by logits (C,)."""
        values = torch.softmax(logits.float(), dim=0).tolist()
        order = sorted(range(len(values)), key=values.__getitem__, reverse=True)[:top_k]
        names = self.classes or [str(label) for label in range(len(values))]
        return [dict(label=label, name=names[label], score=values[label]) for label in order]

    def _check_options(self, branch: str, top_k: int, batch_size: int, vis: Optional[str]) -> None:
        names = [*self.model.branches, ENSEMBLE]
        if branch not in names:
            raise ValueError(f'branch must be one of {names}, got {branch!r}')
        for option, value in dict(top_k=top_k, batch_size=batch_size).items():
            if value < 1:
                raise ValueError(f'{option} must be at least 1, got {value}')
        if vis is not None and vis not in SUFFIXES:
            raise ValueError(f'vis must be one of {[*SUFFIXES, None]}, got {vis!r}')

    def _check_arrays(self, clips: Sequence[Clip]) -> None:
        lacking = [name for name, source in self.sources.items() if source['kind'] not in FROM_FRAMES]
        arrays = [clip.name for clip in clips if clip.frames is not None]
        if lacking and arrays:
            raise ValueError(f'the model reads {lacking}, which an array of frames ({arrays[0]}) cannot give')


def _is_folder(item: ClipLike) -> bool:
    return isinstance(item, (str, Path)) and Path(item).is_dir()


def _picture_files(clips: Sequence[Clip], out_dir: Union[str, Path, None], vis: Optional[str]) -> List[Path]:
    """A file for each clip, none where nothing is drawn.

    Raises:
        ValueError: one would overwrite a clip.
    """
    if out_dir is None or vis is None:
        return []
    stems = [Path(clip.name).stem for clip in clips]
    if len(set(stems)) < len(stems):
        stems = [f'{number:06d}_{stem}' for number, stem in enumerate(stems)]
    files = [Path(out_dir, f'{stem}{SUFFIXES[vis]}') for stem in stems]
    given = {Path(clip.name).resolve() for clip in clips}
    for file in files:
        if file.resolve() in given:
            raise ValueError(f'out_dir {str(out_dir)!r} is where the clips are: {file} would be overwritten')
    return files
