#include <array>

#include "lint/checks/security/name_table.h"

namespace ckpt::lint {
namespace {

using namespace std::string_view_literals;

// Not a deduced std::array: clang refuses to deduce from more than 256 elements.
// clang-format off
constexpr auto kModules = std::to_array<std::string_view>({
    "__builtin__"sv, "__future__"sv, "_abc"sv, "_aix_support"sv, "_ast"sv, "_asyncio"sv, "_bisect"sv,
    "_blake2"sv, "_bz2"sv, "_codecs"sv, "_codecs_cn"sv, "_codecs_hk"sv, "_codecs_iso2022"sv, "_codecs_jp"sv,
    "_codecs_kr"sv, "_codecs_tw"sv, "_collections"sv, "_collections_abc"sv, "_compat_pickle"sv,
    "_compression"sv, "_contextvars"sv, "_crypt"sv, "_csv"sv, "_ctypes"sv, "_curses"sv, "_curses_panel"sv,
    "_datetime"sv, "_dbm"sv, "_decimal"sv, "_elementtree"sv, "_frozen_importlib"sv,
    "_frozen_importlib_external"sv, "_functools"sv, "_gdbm"sv, "_hashlib"sv, "_heapq"sv, "_imp"sv,
    "_interpreters"sv, "_io"sv, "_json"sv, "_locale"sv, "_lsprof"sv, "_lzma"sv, "_markupbase"sv, "_md5"sv,
    "_msi"sv, "_multibytecodec"sv, "_multiprocessing"sv, "_opcode"sv, "_operator"sv, "_osx_support"sv,
    "_overlapped"sv, "_pickle"sv, "_posixshmem"sv, "_posixsubprocess"sv, "_py_abc"sv, "_pydecimal"sv,
    "_pyio"sv, "_queue"sv, "_random"sv, "_scproxy"sv, "_sha1"sv, "_sha2"sv, "_sha256"sv, "_sha3"sv,
    "_sha512"sv, "_signal"sv, "_socket"sv, "_sqlite3"sv, "_sre"sv, "_ssl"sv, "_stat"sv, "_statistics"sv,
    "_string"sv, "_strptime"sv, "_struct"sv, "_suggestions"sv, "_symtable"sv, "_thread"sv,
    "_threading_local"sv, "_tkinter"sv, "_tokenize"sv, "_tracemalloc"sv, "_typing"sv, "_uuid"sv,
    "_warnings"sv, "_weakref"sv, "_weakrefset"sv, "_winapi"sv, "_zoneinfo"sv, "abc"sv, "aifc"sv,
    "annotationlib"sv, "argparse"sv, "array"sv, "ast"sv, "asynchat"sv, "asyncio"sv, "asyncore"sv,
    "atexit"sv, "audioop"sv, "base64"sv, "bdb"sv, "binascii"sv, "bisect"sv, "builtins"sv, "bz2"sv,
    "cProfile"sv, "calendar"sv, "cgi"sv, "cgitb"sv, "chunk"sv, "cmath"sv, "cmd"sv, "code"sv, "codecs"sv,
    "codeop"sv, "collections"sv, "colorsys"sv, "compileall"sv, "compression"sv, "concurrent"sv,
    "configparser"sv, "contextlib"sv, "contextvars"sv, "copy"sv, "copy_reg"sv, "copyreg"sv, "crypt"sv,
    "csv"sv, "ctypes"sv, "curses"sv, "dataclasses"sv, "datetime"sv, "dbm"sv, "decimal"sv, "difflib"sv,
    "dis"sv, "distutils"sv, "doctest"sv, "email"sv, "encodings"sv, "enum"sv, "errno"sv, "faulthandler"sv,
    "fcntl"sv, "filecmp"sv, "fileinput"sv, "fnmatch"sv, "fractions"sv, "ftplib"sv, "functools"sv, "gc"sv,
    "genericpath"sv, "getopt"sv, "getpass"sv, "gettext"sv, "glob"sv, "graphlib"sv, "grp"sv, "gzip"sv,
    "hashlib"sv, "heapq"sv, "hmac"sv, "html"sv, "http"sv, "imaplib"sv, "imghdr"sv, "imp"sv, "importlib"sv,
    "inspect"sv, "io"sv, "ipaddress"sv, "itertools"sv, "json"sv, "keyword"sv, "lib2to3"sv, "linecache"sv,
    "locale"sv, "logging"sv, "lzma"sv, "mailbox"sv, "mailcap"sv, "marshal"sv, "math"sv, "mimetypes"sv,
    "mmap"sv, "modulefinder"sv, "msilib"sv, "msvcrt"sv, "multiprocessing"sv, "netrc"sv, "nis"sv,
    "nntplib"sv, "nt"sv, "ntpath"sv, "nturl2path"sv, "numbers"sv, "opcode"sv, "operator"sv, "optparse"sv,
    "os"sv, "ossaudiodev"sv, "pathlib"sv, "pdb"sv, "pickle"sv, "pickletools"sv, "pipes"sv, "pkgutil"sv,
    "platform"sv, "plistlib"sv, "poplib"sv, "posix"sv, "posixpath"sv, "pprint"sv, "profile"sv, "pstats"sv,
    "pty"sv, "pwd"sv, "py_compile"sv, "pyclbr"sv, "pydoc"sv, "pydoc_data"sv, "pyexpat"sv, "queue"sv,
    "quopri"sv, "random"sv, "re"sv, "readline"sv, "reprlib"sv, "resource"sv, "rlcompleter"sv, "runpy"sv,
    "sched"sv, "secrets"sv, "select"sv, "selectors"sv, "shelve"sv, "shlex"sv, "shutil"sv, "signal"sv,
    "site"sv, "smtpd"sv, "smtplib"sv, "sndhdr"sv, "socket"sv, "socketserver"sv, "spwd"sv, "sqlite3"sv,
    "sre_compile"sv, "sre_constants"sv, "sre_parse"sv, "ssl"sv, "stat"sv, "statistics"sv, "string"sv,
    "stringprep"sv, "struct"sv, "subprocess"sv, "sunau"sv, "symtable"sv, "sys"sv, "sysconfig"sv, "syslog"sv,
    "tabnanny"sv, "tarfile"sv, "telnetlib"sv, "tempfile"sv, "termios"sv, "textwrap"sv, "threading"sv,
    "time"sv, "timeit"sv, "tkinter"sv, "token"sv, "tokenize"sv, "tomllib"sv, "trace"sv, "traceback"sv,
    "tracemalloc"sv, "tty"sv, "types"sv, "typing"sv, "unicodedata"sv, "unittest"sv, "urllib"sv, "uu"sv,
    "uuid"sv, "venv"sv, "warnings"sv, "wave"sv, "weakref"sv, "webbrowser"sv, "winreg"sv, "winsound"sv,
    "wsgiref"sv, "xdrlib"sv, "xml"sv, "xmlrpc"sv, "zipapp"sv, "zipfile"sv, "zipimport"sv, "zlib"sv,
    "zoneinfo"sv});
// clang-format on

}  // namespace

bool is_python_module(std::string_view module) { return has_name(kModules, top_package(module)); }

}  // namespace ckpt::lint
