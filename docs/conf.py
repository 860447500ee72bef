"""How Sphinx builds this site: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from fastdense import __version__  # noqa: E402

project = "fastdense"
author = "the fastdense developers"
copyright = "the fastdense developers"  # noqa: A001
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "command_line",  # these are in _ext
    "mathml",
    "outputs",
    "rooms",
]

source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
exclude_patterns = ["_build", "tutorial"]
nitpicky = True
nitpick_ignore_regex = [("py:class", r"collections\.abc\..*")]  # in the aliases of types
# The types of parameters are plain words, written for people, and are no references.
numpydoc_xref_param_type = False
numpydoc_show_class_members = False
default_role = "py:obj"
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

autodoc_typehints = "none"
autodoc_member_order = "groupwise"
autosummary_generate = False
viewcode_line_numbers = True

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

copybutton_exclude = ".linenos, .gp, .go"

sphinx_gallery_conf = {
    "examples_dirs": "tutorial",
    "gallery_dirs": "lessons",
    "filename_pattern": r"plot_",
    "within_subsection_order": "FileNameSortKey",
    "doc_module": ("fastdense",),
    "reference_url": {"fastdense": None},
    "backreferences_dir": None,
    "remove_config_comments": True,
    "min_reported_time": 1e9,  # how long a page took here is nobody's concern
    "show_memory": False,
    "write_computation_times": False,
    "download_all_examples": False,
    "copyfile_regex": r".*\.csv",
}

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "fastdense"
html_static_path = ["_static"]
html_css_files = ["fastdense.css"]
html_show_copyright = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": [], "performance": []}
