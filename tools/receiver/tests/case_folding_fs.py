"""A case-insensitive, case-preserving pass-through file system (FUSE), as macOS and Windows have it."""
import os, sys, errno
from fusepy import FUSE, FuseOSError, Operations
class CI(Operations):
    def __init__(s, root): s.root = root
    def p(s, path):
        cur = s.root
        for part in [x for x in path.split('/') if x]:
            nxt = os.path.join(cur, part)
            if not os.path.lexists(nxt):
                try: names = os.listdir(cur)
                except OSError: names = []
                for n in names:
                    if n.casefold() == part.casefold(): nxt = os.path.join(cur, n); break
            cur = nxt
        return cur
    def getattr(s, path, fh=None):
        try: st = os.lstat(s.p(path))
        except OSError as e: raise FuseOSError(e.errno)
        return {k: getattr(st, k) for k in ('st_atime','st_ctime','st_gid','st_mode','st_mtime','st_nlink','st_size','st_uid','st_ino')}
    def readdir(s, path, fh): return ['.','..']+os.listdir(s.p(path))
    def mkdir(s, path, mode): return w(os.mkdir, s.p(path), mode)
    def rmdir(s, path): return w(os.rmdir, s.p(path))
    def unlink(s, path): return w(os.unlink, s.p(path))
    def rename(s, a, b): return w(os.rename, s.p(a), s.p(b))
    def link(s, target, source): return w(os.link, s.p(source), s.p(target))
    def open(s, path, flags): return w(os.open, s.p(path), flags)
    def create(s, path, mode, fi=None): return w(os.open, s.p(path), os.O_RDWR|os.O_CREAT|os.O_TRUNC, mode)
    def read(s, path, n, off, fh): return os.pread(fh, n, off)
    def write(s, path, data, off, fh): return os.pwrite(fh, data, off)
    def truncate(s, path, length, fh=None): return w(os.truncate, s.p(path), length)
    def fsync(s, path, ds, fh): return os.fsync(fh)
    def fsyncdir(s, path, ds, fh): return 0
    def release(s, path, fh): return os.close(fh)
    def flush(s, path, fh): return 0
    def chmod(s, path, mode): return w(os.chmod, s.p(path), mode)
    def utimens(s, path, t=None): return w(os.utime, s.p(path), t)
    def statfs(s, path):
        v = os.statvfs(s.root); return {k: getattr(v, k) for k in ('f_bavail','f_bfree','f_blocks','f_bsize','f_files','f_ffree','f_frsize','f_namemax')}
def w(f, *a):
    try: return f(*a)
    except OSError as e: raise FuseOSError(e.errno)
FUSE(CI(sys.argv[1]), sys.argv[2], foreground=True, nothreads=True, use_ino=True)
