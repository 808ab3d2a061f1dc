"""Print the whole config: ``python tools/misc/print_config.py CONFIG [--cfg-options ...]``."""

import argparse

from mmengine.config import DictAction

from mmmutual.apis.launch import load_config


def main() -> None:
    parser = argparse.ArgumentParser(description='Print the whole config, bases and options merged')
    parser.add_argument('config', help='config file path')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='override settings, key=value')
    args = parser.parse_args()
    print(load_config(args.config, args.cfg_options).pretty_text)


if __name__ == '__main__':
    main()
