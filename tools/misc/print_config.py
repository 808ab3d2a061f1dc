"""Print the whole config: ``python tools/misc/print_config.py CONFIG [--cfg-options ...]``."""

import argparse

from mmmutual.apis.launch import add_config_arguments, load_config


def main() -> None:
    parser = argparse.ArgumentParser(description='Print the whole config, bases and options merged')
    add_config_arguments(parser)
    args = parser.parse_args()
    print(load_config(args.config, args.cfg_options).pretty_text)


if __name__ == '__main__':
    main()
