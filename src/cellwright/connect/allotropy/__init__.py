"""The long tail of instruments, read by the `allotropy` project (MIT, extra `instruments`) in one process of its own.

That library takes seconds to start and may fail on a damaged file in any way; so it runs beside ours, started once,
with a limit of time and memory, and a crash is a refusal of that file and no more.
"""

from cellwright.connect.allotropy.client import Allotropy, NoAllotropy, WorkerFailed
from cellwright.connect.allotropy.reading import read_any
from cellwright.connect.allotropy.vendor import VENDORS, vendor_of

__all__ = ["VENDORS", "Allotropy", "NoAllotropy", "WorkerFailed", "read_any", "vendor_of"]
