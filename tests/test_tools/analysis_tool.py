"""Run a tool of tools/analysis_tools, whose modules import one another, in a process of its own or in this one."""

import os
import runpy
import sys
from pathlib import Path
from typing import Any, List

from ..helpers import run_alone
from .clip_folder import ROOT, _run_tool

FOLDER = ROOT / 'tools' / 'analysis_tools'


def run_analysis(tool: str, *args: Any, cwd: Path) -> str:
    """Run ``python tools/analysis_tools/<tool> args`` in a process forked after the slow imports; what it printed.

    Raises:
        torch.multiprocessing.ProcessRaisedException: with the traceback, if the tool fails.
    """
    output = cwd / f'output-{len(list(cwd.glob("output-*")))}.txt'
    run_alone(_run_beside, str(FOLDER / tool), [str(arg) for arg in args], str(cwd), str(output))
    return output.read_text()


def _run_beside(tool: str, args: List[str], cwd: str, output: str) -> None:
    sys.path.insert(0, os.path.dirname(tool))  # as python does for a script
    _run_tool(tool, args, cwd, output)


def run_here(monkeypatch: Any, tool: str, *args: Any) -> None:
    """Run the tool in this process, where its errors can be seen."""
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, 'argv', [tool, *map(str, args)])
    runpy.run_path(str(FOLDER / tool), run_name='__main__')
