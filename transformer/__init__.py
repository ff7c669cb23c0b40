"""tke-direct's transformer: rewrite, prove and lint manifests for CLB direct access.

Only ``cli``, ``files`` and ``parallel`` touch the world; everything else takes values and
returns values.  Never imports the binder, never opens a network connection.
"""

__version__ = "0.1.0"
