"""Classify a video, or all videos of a folder: ``python demo/action_demo.py INPUT CONFIG CHECKPOINT``."""

import argparse
import sys

from mmengine.config import DictAction

from mmmutual.apis import ActionInferencer


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('input', help='a video, or a folder: all videos below it')
    parser.add_argument('config', help='config file, or the name of a shipped model')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out-dir', help='folder for predictions.json and the pictures')
    parser.add_argument(
        '--vis',
        choices=['video', 'png', 'none'],
        default='video',
        help='in --out-dir: the video with the scores beside it, or what the network was given (default: %(default)s)',
    )
    parser.add_argument('--branch', default='ensemble', help='whose class is the answer (default: %(default)s)')
    parser.add_argument('--top-k', type=int, default=5, help='classes to tell (default: %(default)s)')
    parser.add_argument('--tta', action='store_true', help="several views of each video: the config's tta_pipeline")
    parser.add_argument('--batch-size', type=int, default=1, help='videos at a time (default: %(default)s)')
    parser.add_argument('--device', help='default: cuda where there is a GPU, else cpu')
    parser.add_argument('--flow-algorithm', help='dis, farneback or tvl1 (default: what the config says, else dis)')
    parser.add_argument(
        '--flow-bound', type=float, help='that of the training, in pixels (default: what the config says, else 20)'
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='override settings of the config, key=value'
    )
    return parser.parse_args()


def classify(args: argparse.Namespace) -> dict:
    """Predictions of the inputs."""
    inferencer = ActionInferencer(
        args.config,
        args.checkpoint,
        device=args.device,
        tta=args.tta,
        flow_algorithm=args.flow_algorithm,
        flow_bound=args.flow_bound,
        cfg_options=args.cfg_options,
    )
    return inferencer(
        args.input,
        batch_size=args.batch_size,
        branch=args.branch,
        top_k=args.top_k,
        out_dir=args.out_dir,
        vis=None if args.vis == 'none' else args.vis,
    )


def main() -> None:
    args = parse_args()
    try:
        results = classify(args)
    except (FileNotFoundError, ImportError, ValueError) as error:
        sys.exit(f'action_demo.py: {error}')
    for prediction in results['predictions']:
        print(f'{prediction["name"]}: {prediction["pred_class"]}')
        for branch, scores in prediction['branches'].items():
            print(f'  {branch}: ' + ', '.join(f'{score["name"]} {score["score"]:.2f}' for score in scores))
    for clip in results['unreadable']:
        print(f'{clip["name"]}: {clip["reason"]}', file=sys.stderr)
    if args.out_dir is not None:
        print(f'predictions.json and {len(results["visualization"])} pictures are in {args.out_dir}')


if __name__ == '__main__':
    main()
