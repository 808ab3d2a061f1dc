"""Sphinx settings; `make docs` builds with warnings as errors."""

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

project = 'mmmutual'
author = 'The mmmutual contributors'
copyright = f'2026, {author}'
release = version = runpy.run_path(str(ROOT / 'mmmutual' / 'version.py'))['__version__']

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.autosummary',
    'sphinx.ext.mathjax',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
    'sphinx_copybutton',
]
exclude_patterns = ['_build', '_templates']
templates_path = ['_templates']
html_theme = 'furo'
html_title = f'mmmutual {release}'

myst_enable_extensions = ['colon_fence', 'deflist', 'dollarmath']
myst_heading_anchors = 3
copybutton_prompt_text = r'>>> |\.\.\. |\$ '
copybutton_prompt_is_regexp = True

autosummary_generate = True
# What a package exports again is described once, where it is defined.
autodoc_default_options = {'members': True, 'show-inheritance': True, 'ignore-module-all': True}
autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
# A method without a docstring would show its foreign parent's, whose markup is not ours to mend.
autodoc_inherit_docstrings = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
