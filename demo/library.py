"""Write the library that draws the charts: Vega, as one piece of JavaScript, to standard output.

This program runs in an environment of its own, since the package is large and nothing else uses it.
"""

from __future__ import annotations

import sys

import vl_convert

if __name__ == "__main__":
    library = vl_convert.javascript_bundle()
    if "</script" in library.lower():
        sys.exit("the library cannot be part of a page: it contains the end of a script")
    sys.stdout.write(library)
