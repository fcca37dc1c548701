# SPDX-License-Identifier: MIT
"""Sphinx's settings. The site is built by docs/build.sh, from pages that stage.py has laid out."""
import os
import pathlib
import re
import sys

here = pathlib.Path(os.environ["TRM_SITE"])
sys.path.insert(0, str(here))
version_header = (here.parent.parent / "include" / "trm" / "version.hpp").read_text()

project = "trm"
author = "trm contributors"
copyright = author  # pylint: disable=redefined-builtin
release = version = ".".join(re.findall(r"#define TRM_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", version_header))

extensions = ["breathe", "myst_parser", "trm_sphinx"]
breathe_projects = {"trm": os.environ["TRM_XML"]}
breathe_default_project = "trm"
breathe_show_include = False
breathe_order_parameters_first = False
cpp_index_common_prefix = ["trm::"]
cpp_maximum_signature_line_length = 100

source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
myst_heading_anchors = 4
nitpicky = True
# Names of other libraries, template parameters and names inside functions are no pages of this site.
nitpick_ignore_regex = [("cpp:.*", ".*")]

html_theme = "furo"
html_title = f"trm {release}"
html_static_path = [str(here / "static")]
html_css_files = ["trm.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": False}
highlight_language = "none"
pygments_style = "friendly"
pygments_dark_style = "monokai"
# What is indented in a comment of a header need not be C++.
suppress_warnings = ["misc.highlighting_failure"]
