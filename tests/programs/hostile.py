"""`hostile_program`: a program, in Python or Octave, that tries to get out, to hang, or to take all memory."""

from __future__ import annotations

import random

SENTINEL = "jacobians_was_here"
"""A file that every escape would write."""

ESCAPES = (
    "().__class__.__base__.__subclasses__()", "x.__class__", "''.__class__.__mro__[1]", "f.__globals__", "f.__code__.co_consts",
    "(lambda: 0).__globals__['__builtins__']", "np.__loader__.load_module('os')", "np.ma.__builtins__", "np.os.system('touch S')",
    "np.lib.npyio.os.system('touch S')", "np.f2py.os", "np.fromfile('/etc/passwd')", "np.load('S.npy', allow_pickle=True)",
    "np.save('S', x)", "np.savetxt('S', x)", "np.savez('S', x)", "np.memmap('S', mode='w+', shape=1)", "x.tofile('S')", "x.dump('S')",
    "np.ctypeslib.load_library('c', '/')", "np.frompyfunc(eval, 1, 1)('1')", "np.vectorize(eval)('1')",
    "np.apply_along_axis(exec, 0, x)", "np.genfromtxt('/etc/passwd')", "np.DataSource().open('/etc/passwd')", "np.info(np)",
    "np.random.__dict__", "np.random.get_state()", "x.ctypes.data", "x.data", "x.base", "x.flags", "x.setflags(write=True)",
    "x.__array_interface__['data']", "x.dtype.type", "x.dtype.__class__", "x.view('O')", "x.astype(object)", "x.astype('O')",
    "np.array([f, f], dtype=object)", "np.array([f, np])", "np.dtype('O')", "np.object_(x)", "open('S', 'w')", "open('/etc/passwd').read()",
    "eval('open(\"S\", \"w\")')", "exec('open(\"S\", \"w\")')", "compile('1', 'a', 'eval')", "__import__('os').system('touch S')",
    "getattr(x, '__class__')", "getattr(np, 'os')", "setattr(x, 'shape', 3)", "globals()", "globals()['__builtins__']", "locals()",
    "vars(np)", "dir(np)", "type(x)", "type('A', (), {})()", "type(type(x))", "input()", "breakpoint()", "help(x)", "memoryview(b'a')",
    "bytearray(10**9)", "bytes(10**9)", "object()", "__builtins__", "__builtins__.open('S', 'w')", "__builtins__['eval']('1')",
    "__loader__", "__spec__", "__file__", "__name__.__class__", "'{0.__class__}'.format(x)", "'{0.__globals__}'.format(f)",
    "f'{x.__class__}'", "f'{x!r}'", "f'{f.__globals__}'", "'%r' % f", "str(f)", "str(np)", "repr(x)", "x.tolist.__self__", "x.sum.__class__",
    "np.exp.__class__", "np.exp.reduce", "np.add.reduce.__self__", "np.linalg.linalg", "np.core.multiarray.scalar", "[].append.__self__",
    "[].__class__", "{}.get.__self__", "'a'.join.__class__", "max.__self__", "len.__self__.open('S', 'w')", "print.__self__",
    "A.__init__.__globals__", "A().__class__.__init__.__globals__", "A.__dict__", "A.__bases__", "super().__class__", "A.mro()",
    "str.format('{0.__class__}', x)", "int.from_bytes(b'a', 'big')", "float.fromhex('0x1')", "dict.fromkeys(x)", "id(x)",
    "np.lib.utils.safe_eval('1')", "np.testing.measure('1')", "np.get_include()", "np.show_config()", "np.test()", "np.source(np.exp)",
    "np.char.add('a', 'b')", "np.rec.fromarrays([x])", "np.nditer(x)", "np.ndarray((1,))", "np.asarray(A())", "np.matrix('1 2')",
    "np.bmat('x')", "np.r_['x']", "np.mgrid[0:10**9]", "np.printoptions()", "scipy.io.loadmat('S')", "scipy.weave.inline('')",
    "pd.read_pickle('S')", "pickle.loads(b'cos\\nsystem\\n(S\\ntR.')", "os.system('touch S')", "os.popen('touch S').read()",
    "subprocess.run(['touch', 'S'])", "socket.socket()", "sys.exit(3)", "os._exit(3)", "exit()", "quit()", "sys.modules['os']",
    "sys._getframe().f_back", "ctypes.CDLL(None).abort()", "threading.Thread(target=f).start()", "signal.alarm(1)", "os.fork()",
    "urllib.request.urlopen('http://localhost')", "importlib.import_module('os')", "builtins.open('S', 'w')", "io.open('S', 'w')",
    "codecs.open('S', 'w')", "pathlib.Path('S').write_text('a')", "shutil.rmtree('S')", "tempfile.mkdtemp()", "logging.FileHandler('S')",
    "warnings.warn('a')", "tqdm.os", "time.sleep(100)", "time.os", "plt.savefig('S')", "plt.os", "sns.__loader__", "copy.__builtins__",
    "copy.deepcopy(np)", "copy.copy(f).__globals__", "math.__loader__", "random.SystemRandom", "random._os.system('touch S')",
    "collections.namedtuple('A', 'a')", "functools.reduce(f, x)", "operator.attrgetter('__class__')(x)", "itertools.count()",
)  # fmt: skip
"""Of x, an array; f, a function; A, a class; S, the sentinel."""

STATEMENTS = (
    "import os\nos.system('touch S')", "from os import *\nsystem('touch S')", "import os as np\nnp.system('touch S')",
    "import subprocess as s\ns.run('touch S', shell=True)", "import builtins\nbuiltins.open('S', 'w')", "from numpy import *\nos.system('a')",
    "from numpy import os\nos.system('touch S')", "import numpy.os as o\no.system('touch S')", "import numpy as np, os\nos.remove('S')",
    "from builtins import open as exp\nexp('S', 'w')", "from . import a", "from .. import *", "from __future__ import braces",
    "from __main__ import SENTINEL", "from tests.programs import hostile\nhostile.SENTINEL = 1", "import jacobians\njacobians.audit('a')",
    "with open('S', 'w') as h:\n    h.write('a')", "with np.errstate(all=open('S', 'w')):\n    pass", "try:\n    open('S', 'w')\nfinally:\n    x = 1",
    "try:\n    raise ValueError\nexcept Exception as e:\n    e.__traceback__.tb_frame.f_globals", "raise SystemExit", "raise KeyboardInterrupt",
    "raise f", "assert open('S', 'w')", "print(open('S', 'w'))", "print(file=open('S', 'w'))", "del np.exp", "del x.shape", "del __builtins__",
    "np.exp = open\nnp.exp('S', 'w')", "np.pi = 3", "x.shape = (10**9,)", "x.shape = -1", "x.dtype = 'O'", "x.strides = (0, 0)", "x.flat = 1",
    "x.T = 1", "x.real = open", "f.__code__ = f", "f.__defaults__ = (1,)", "A.__init__ = f", "A.x = A", "A.__class__ = A", "a = A()\na.__class__ = A",
    "a = A()\na.self = a\na.self.self.self.a", "@open\ndef g(): pass", "@f\ndef g(): pass", "@property\ndef g(): return 1", "@eval\nclass B: pass",
    "@staticmethod\ndef g(x): return g(x)\ng(1)", "class B(metaclass=A): pass", "class B(A, metaclass=type): pass", "class B(type): pass",
    "class B(np.ndarray): pass", "class B(open('S', 'w')): pass", "class B(B): pass", "class B(A):\n    pass\nB.bases = B",
    "class B:\n    open('S', 'w')", "class B:\n    def __getattr__(self, n): return open\nB().a('S', 'w')",
    "class B:\n    def __array__(self): return open('S', 'w')\nnp.exp(B())", "class B:\n    __slots__ = ['a']\n    def __init__(self): self.b = 1\nB()",
    "class B:\n    def __call__(self): return self()\nB()()",
    "class B:\n    def __add__(self, o): return self + o\nB() + B()", "class B:\n    def __radd__(self, o): return [o] * 10**9\nsum([1, B()])",
    "class B:\n    def __getitem__(self, k): return self[k]\nB()[0]", "class B:\n    def __setitem__(self, k, v): self[k] = v\nB()[0] = np",
    "class B:\n    def __contains__(self, v): return v in self\n1 in B()", "class B:\n    def __bool__(self): return not self\nif B(): pass",
    "class B:\n    def __iter__(self): return iter(self)\nlist(B())", "class B:\n    def __iadd__(self, o): return open\nb = B()\nb += 1\nb('S', 'w')",
    "class B:\n    def __mul__(self, o): return B() * B() * o\nB() * 2", "class B:\n    __add__ = open\nB() + 'S'", "class B:\n    __len__ = A.__dict__\nlen(B())",
    "y = set()\nfor _ in range(10**7): y.add(_)", "y = set()\nwhile True: y = y | {len(y)}", "y = {1}\ny.add(y)\nz = y in y", "y = ()\nfor _ in range(40): y = (y, y)\nz = {y}",
    "y = set(range(10**6))\nwhile True: y = y.union(range(10**6))", "class B:\n    def __init__(self): B()\nB()", "class B:\n    def __del__(self): f()\nB()",
    "class B:\n    @property\n    def a(self): return self.a\nB().a", "class B:\n    @classmethod\n    def a(cls): return cls.a()\nB.a()",
    "class B:\n    def __eq__(self, o): return self == o\nB() == B()", "class B:\n    def __len__(self): return 10**18\nlen(B())",
    "class B:\n    def __iter__(self): return self\n    def __next__(self): return 1\nfor a in B(): pass", "class B:\n    x = np\nB.x.os",
    "class B(A):\n    def __init__(self): super().__init__(); super().__class__\nB()", "class B:\n    def g(self): return super().g()\nB().g()",
    "def g(): yield 1\nfor a in g(): pass", "def g():\n    yield from g()\nlist(g())", "def g(): return g()\ng()", "def g(a=g): return a\ng()",
    "def g(*a, **k): return g(*a, a, **k)\ng(1)", "def g(a): return g(a + 1) + g(a + 1)\ng(0)", "def g(a, g=lambda g: g(g)): return g(g)\ng(1)",
    "g = lambda g: g(g)\ng(g)", "g = lambda *a: g(*a, *a)\ng(1)", "(lambda h: h(h))(lambda h: h(h))", "g = [lambda: g[0]()]\ng[0]()",
    "y = [g for g in iter(int, 1)]", "y = [a for a in range(10**9)]", "y = [b for a in range(10**5) for b in range(10**5)]",
    "y = {a: a for a in range(10**9)}", "y = sum(a for a in range(10**9))", "y = [[b for b in range(a)] for a in range(10**6)]",
    "y = (a for a in y)", "y = [y for y in [y]]", "y = [f(f) for a in range(10**6)]", "def g(): return [g() for a in range(2)]\ng()",
    "while True: pass", "while 1:\n    x = x + 1", "while True:\n    y = np.ones((900, 900)) @ np.ones((900, 30))", "while x is x: continue",
    "while True:\n    y = np.linalg.inv(np.eye(190))", "while True:\n    y = sorted(range(10**6))", "while True:\n    y = np.sort(np.ones(10**6))",
    "while True:\n    y = list(range(10**6))", "while True:\n    y = np.exp(np.ones(10**6))", "y = []\nwhile True: y.append(y)",
    "y = []\nwhile True: y.append('a' * 10**6)", "y = {}\nwhile True: y[len(y)] = np.ones(10**5)", "y = 'a'\nwhile True: y += y",
    "y = 2\nwhile True: y = y * y", "y = 2\nwhile True: y = y ** y", "y = 1.5\nwhile True: y = y ** 2", "for a in range(10**18): pass",
    "for a in range(10**30): pass", "y = [1]\nfor a in y: y.append(a)", "y = {1: 1}\nfor a in y: y[a + 1] = 1", "y = np.ones(3)\nfor a in y: y = np.append(y, a)",
    "for a in 'a' * 10**9: pass", "for a, in [[a]]: pass", "for x[0] in range(5): pass", "for a.b in x: pass", "x[f] = 1", "x[x] = x", "x[...] = f",
    "x[None, None, None] = 1", "x[10**30] = 1", "x[(0,) * 100] = 1", "x[True, False] = 1", "x[[0] * 10**7]", "x[np.zeros((1000, 1000), int)][np.zeros((999, 999), int)]",
    "global np\nnp = 1", "nonlocal x", "global __builtins__\n__builtins__ = 1", "async def g(): await g()\ng()", "match x:\n    case _: pass", "(y := open('S', 'w'))",
    "type Y = int", "y: open('S', 'w') = 1", "def g(a: open('S', 'w') = 1) -> exec('1'): pass\ng()", "lambda: (yield)", "y = *x, *x, *x", "a, *b, *c = x",
    "*y, = range(10**9)", "y = [*range(10**9)]", "f(*range(10**9))", "f(**{'a' * 10**6: 1})", "f(**f)", "y = {**{}, **x}", "y = {x: 1}", "y = {[]: 1}",
    "y = {np.nan: 1}", "y = {(1, (2, f)): 1}", "y = 0 if 0 else 0 if 0 else f", "y = x < x < x < x", "y = 1 < 2 < 3 < f", "y = not not not f", "y = ~f", "y = -f", "y = -[]",
    "y = f + f", "y = np + np", "y = A + A()", "y = A() @ A()", "y = 1 << 10**9", "y = 1 << 10**5 >> 3", "y = 9**9**9", "y = 9.0**9**9", "y = (-8)**0.5", "y = 0**-1",
    "y = 1e308 * 10", "y = 10**308 * 1.0", "y = 10**400 * 1.0", "y = 1 / 0", "y = 1 % 0", "y = 0.0 // 0", "y = 2 ** -10**9", "y = 2.5 % 1e-300", "y = round(5, -10**9)",
    "y = round(10**300, -10**5)", "y = np.round(1.5, 10**9)", "y = pow(3, 10**9)", "y = pow(3, 10**9, 7)", "y = int('9' * 10**5)", "y = str(10**5000)", "y = str(10**600)",
    "y = float('9' * 10**6)", "y = int(1e308)", "y = int(float('nan'))", "y = abs(-10**600) * 10**600 * 10**600", "y = sum([10**600] * 1000)", "y = max('a' * 10**6)",
    "y = sum([[1] * 1000] * 1000, [])", "y = sum([np.ones(10**6)] * 10**4)", "y = sum([x] * 10**6)", "y = sum([[]] * 10**6, [])", "y = sum(['a'] * 10**5, '')",
    "y = sorted([[1] * 1000] * 1000)", "y = [0] * 10**9", "y = [[0] * 10**4] * 10**4", "y = [[0] * 10**3 for _ in range(10**3)]", "y = 'a' * 10**9", "y = ('a' * 10**6) * 10**6",
    "y = ('a', 'b') * 10**9", "y = '-' * 10**6 + '-' * 10**6", "y = 'a' * 10**6\nfor _ in range(10**4): y in y", "y = 'a'.replace('a', 'aaa' * 10**6)", "y = ('a' * 10**6).replace('a', 'b' * 10**6)",
    "y = '%1000000000d' % 1", "y = '%*d' % (10**9, 1)", "y = '%.1000000000f' % 1.0", "y = '%s' % ('a' * 10**6)", "y = '%d' % 10**600", "y = f'{1:1000000000}'", "y = f'{x:>{10**9}}'",
    "y = f'{10**600}'", "y = f'{\"a\" * 10**7}'", "y = 'a'.ljust(10**9)", "y = 'a'.zfill(10**9)", "y = ','.join(['a'] * 10**9)", "y = 'a\\tb'.expandtabs(10**9)", "y = 'a'.center(10**9)",
    "y = list(range(10**9))", "y = tuple(range(10**9))", "y = list(range(10**6))", "y = list(zip(*[range(10**6)] * 9))", "y = dict(zip(range(10**6), range(10**6)))", "y = list(enumerate(range(10**6)))",
    "y = [1]\ny.extend(range(10**9))", "y = [1]\ny[0:0] = range(10**9)", "y = [1]\nfor _ in range(40): y[0:0] = y", "y = [1]\nfor _ in range(40): y += y", "y = [1]\nfor _ in range(10**5): y = [y]\nlen(y)",
    "y = ()\nfor _ in range(30): y = (y, y)\nz = {y: 1}", "y, z = [], []\nfor _ in range(30): y, z = [y, y], [z, z]\na = y == z", "y, z = (), ()\nfor _ in range(30): y, z = (y, y), (z, z)\na = y < z",
    "y, z = [], []\nfor _ in range(30): y, z = [y, y], [z, z]\na = sorted([y, z])", "y, z = (), ()\nfor _ in range(30): y, z = (y, y), (z, z)\na = max(y, z)", "y = {}\ny['a'] = y\nz = y['a']['a']\nw = copy.deepcopy(y)",
    "y = []\ny.append(y)\ny.append(y)\nz = np.array(y)", "y = []\ny.append(y)\ny.append(y)\nz = np.ones(3) + y", "y = []\ny.append(y)\ny.append(y)\nz = x[y]", "y = []\ny.append(y)\ny.append(y)\nz = np.float64(2) * y",
    "y = []\ny.append(y)\ny.append(y)\nx[0] = y", "y = []\ny.append(y)\ny.append(y)\nz = np.clip(x, y, y)", "y = []\ny.append(y)\ny.append(y)\nz = np.r_[y, y]", "y = []\ny.append(y)\ny.append(y)\nz = np.pad(x, y)",
    "y = []\ny.append(y)\ny.append(y)\nz = copy.deepcopy(y)", "y = []\ny.append(y)\ny.append(y)\nz = y == [y, y]", "y = []\ny.append(y)\nz = str(y), sum(y), sorted(y), list(y), tuple(y), y + y", "y = []\ny.append(y)\nz = y in y",
    "y = []\nfor _ in range(12): y = [y] * 10\nz = np.array(y)", "y = []\nfor _ in range(12): y = [y] * 10\nz = np.repeat(x, y)", "y = []\nfor _ in range(12): y = [y] * 10\nz = np.roll(x, y)",
    "y = np.zeros((10**6, 10**6))", "y = np.zeros(10**9)", "y = np.zeros((10**400,))", "y = np.ones((0, 10**9)).sum(axis=0)", "y = np.zeros((0, 3 * 10**8))\nz = y.sum(0)", "y = np.empty((10**5, 10**5))", "y = np.full((10**9,), x)",
    "y = np.eye(10**5)", "y = np.identity(10**6)", "y = np.arange(10**12)", "y = np.arange(0, 1, 1e-12)", "y = np.arange(0, 10, 0)", "y = np.arange(np.nan)", "y = np.linspace(0, 1, 10**10)", "y = np.tile(x, 10**9)", "y = np.tile(x, (10**5, 10**5))",
    "y = np.repeat(x, 10**9)", "y = np.repeat(x, [10**9] * 12)", "y = x.repeat(10**9)", "y = np.outer(np.ones(10**5), np.ones(10**5))", "y = np.kron(np.ones((999, 999)), np.ones((999, 999)))", "y = np.diag(np.ones(10**5))",
    "y = np.ones(10**5)\nz = y[:, None] * y", "y = np.ones(10**5)\nz = y[:, None] == y", "y = np.ones(10**5)\nz = np.maximum(y[:, None], y)", "y = np.ones(10**6)\nz = np.add.outer(y, y)", "y = np.broadcast_to(x, (10**5, 10**5, 3, 4))",
    "y = np.bincount([10**9])", "y = np.bincount(np.array([3 * 10**8]))", "y = np.split(x, 10**9)", "y = np.array_split(x, 10**8)", "y = np.split(np.ones(10), range(10**6))", "y = np.pad(x, 10**6)", "y = np.pad(x, 10**9)",
    "y = np.insert(x, [0] * 10**6, 1)", "y = np.einsum('i,j,k,l->ijkl', *[np.ones(100)] * 4)", "y = np.einsum('ab,cd,ef->abcdef', x, x, np.ones((900, 900)))", "y = np.einsum(',,,,', 1, 1, 1, 1, 1)", "y = np.einsum('i' * 60, x)",
    "y = np.tensordot(np.ones(5000), np.ones(5000), 0)", "y = np.tensordot(np.ones(5000), np.ones(5000), axes=0)\nz = y + y", "y = [np.tensordot(np.ones(5000), np.ones(5000), 0) for _ in range(99)]",
    "y = [np.einsum('i,j->ij', np.ones(5000), np.ones(5000)) for _ in range(99)]", "y = [np.ones(10**6) for _ in range(10**3)]", "y = np.concatenate([np.ones(10**6)] * 100)", "y = np.stack([np.ones(10**6)] * 100)",
    "y = np.linalg.inv(np.random.randn(1000, 1000))", "y = np.linalg.svd(np.ones((1000, 1000)))", "y = np.linalg.pinv(np.ones((3000, 3000)))", "y = np.linalg.matrix_power(np.ones((100, 100)), 10**9)",
    "y = np.linalg.norm(np.ones((1000, 1000)), 'nuc')", "y = np.linalg.norm(np.ones((1000, 1000)), 2)", "y = np.ones((1000, 1000)) @ np.ones((1000, 1000))", "y = np.dot(np.ones((1, 10**6)), np.ones((10**6, 1)))",
    "y = np.random.randn(10**9)", "y = np.random.rand(10**5, 10**5)", "y = np.random.randint(0, 10, size=10**9)", "y = np.random.choice(10**9)", "y = np.random.choice(10**9, 5, replace=False)", "y = np.random.permutation(10**9)",
    "y = np.random.binomial(10**9, 0.5, 10**9)", "y = np.random.normal(size=(10**6, 10**6))", "y = np.random.randint(-10**30, 10**30)", "y = np.random.shuffle([1] * 10**6)", "y = np.unique(x, axis=0)", "y = np.unique(np.ones(10**6))",
    "y = x.reshape(10**9, -1)", "y = x.reshape([1] * 100)", "y = x.reshape((-1,) * 3)", "y = np.expand_dims(x, list(range(60)))", "y = x\nfor _ in range(100): y = y[None]", "y = x\nfor _ in range(100): y = np.stack([y])", "y = x.transpose([0] * 50)",
    "y = np.swapaxes(x, 10**30, 0)", "y = x.sum(axis=(0,) * 10**5)", "y = x.argsort(axis=10**30)", "y = np.cumsum(x, axis=f)", "y = np.where(x, f, np)", "y = np.array([np.nan] * 5, int)", "y = np.array('abc')", "y = np.array({1: 2})", "y = np.array(f)",
    "y = np.array([1, [2, 3]])", "y = np.array([[1], 'a'])", "y = np.array(range(10**9))", "y = np.array([range(10**6)] * 10**3)", "y = np.asarray('a' * 10**6)", "y = np.copy(range(10**7))", "y = np.exp('a')", "y = np.exp(f)", "y = np.exp(A())", "y = np.exp(x, out=f)",
    "y = np.add(x, x, out=x)", "y = np.sum(x, out=x)", "y = np.sum(x, where=f)", "y = np.clip(x, f, f)", "y = np.max([])", "y = np.mean(np.ones((0, 3)), axis=1)", "y = x.item(10**30)", "y = x.fill(f)", "y = x.take([10**30])", "y = x.astype('S1000000000')",
    "y = np.zeros(3, 'U1000000000')", "y = np.zeros(3, dtype='O')", "y = np.zeros(3, dtype=[('a', 'O')])", "y = np.ones(3, dtype=f)", "y = np.float128(1)", "y = np.longdouble('9' * 999)", "y = np.complex128(1j)", "y = 1j ** 10**9", "y = np.exp(1j * x)", "y = b'a' * 10**9",
    "y = map(f, range(10**9))", "y = list(map(lambda a: a, range(10**6)))", "y = zip(range(10**9), range(10**9))", "y = reversed(range(10**9))", "y = any(range(10**9))", "y = max(range(10**9))", "y = all([1] * 10**9)", "y = len(range(10**30))", "y = range(10**30)[10**29]",
    "y = range(0, 10**30, 10**10)\nz = list(y)", "y = 10**29 in range(10**30)", "y = f in range(10**9)", "y = sorted(x, key=f)", "y = sorted(range(10**6), key=lambda a: -a)", "y = isinstance(x, (int, float))", "y = isinstance(A(), A)", "y = hasattr(x, '__class__')",
    "x = x\nx = lambda: x\nx()", "A = A()\nA = A()", "np = np.linalg\nnp.np.os", "f = f(f)", "self = self.self", "__name__ = 1", "if __name__ == '__main__': open('S', 'w')", "if x: y = 1", "if np: y = 1", "if f: y = 1", "y = x and f or np", "y = x if x else np", "del x, y, np",
)  # fmt: skip
"""Statements, after x, f, A and the imports of `BEFORE`."""

BEFORE = """import numpy as np
import os, sys, copy, math, random, time
x = np.arange(12.0).reshape(3, 4)
def f(a=1, *rest):
    return a
class A:
    def __init__(self):
        self.a = 1
    def m(self, b):
        return self.a + b
"""

STARTS = (
    "'a'", "[1]", "(1,)", "2", "1.5", "np.ones(10)", "np.ones((3, 0))", "np.zeros((0, 5))", "[[]]", "{}", "True", "range(10)", "10**300", "1e300",
    "np.arange(5)", "'%s'", "[a for a in range(5)]", "np.float64(2)", "None", "(1, (2, (3,)))", "f", "A()", "[x, x]", "{'a': x}", "x", "x > 3", "''", "-1", "10**9", "10**6",
)  # fmt: skip
GROWTHS = (
    "y = y + y", "y += y", "y = y * 2", "y *= 2", "y *= 10", "y = [y, y]", "y = (y, y)", "y.append(y)", "y.extend(y)", "y = y ** 2", "y **= 2", "y = y * y", "y = {'a': y, 'b': y}",
    "y[0:0] = y", "y = [*y, *y]", "y = np.concatenate([y, y])", "y = np.outer(y, y)", "y = np.kron(y, y)", "y = np.tile(y, 10)", "y = np.repeat(y, 10)", "y = y[None] * y[..., None]", "y = y[None]",
    "y = np.vstack([y, y])", "y = np.hstack((y, y))", "y = f'{y}{y}'", "y = '%s%s' % (y, y)", "y = str(y) + str(y)", "y = y.replace('a', 'aa')", "y = np.pad(y, 1000)", "y = np.append(y, y)",
    "y = np.broadcast_to(y, (10,) + y.shape)", "y = dict(a=y, b=y)", "y = sum([y, y], [])", "y = list(zip(y, y))", "y = sorted([y, y])", "y = max([y, y])", "y = y == y", "y = np.array([y, y])",
    "y = lambda y=y: y", "y.update(a=y)", "y['a'] = y", "y.insert(0, y)", "y = y - y * 3", "y = y @ y", "y = np.dot(y, y)", "y = y.T @ y", "y = abs(y)", "y = -y", "y = copy.deepcopy([y, y])", "y = y.copy()",
    "y = [y] * 100", "y = (y,) * 100", "y = tuple([y, y])", "y = y[:]", "y = y + (y,)", "y = np.exp(y)", "y = np.stack([y, y])", "y = y.reshape(-1)", "y = y + 1", "y = y | y", "y = y % 7", "y = y // 2", "y = np.cumsum(y)",
)  # fmt: skip
PROBES = (
    "z = y == y", "z = {y: 1}", "z = y in [y]", "z = np.asarray(y)", "z = np.ones(3) + y", "z = np.ones(3)[y]", "z = np.sum(y)", "z = sum(y)", "z = sorted(y)", "z = str(y)", "z = f'{y}'", "z = len(y)", "z = list(y)",
    "z = tuple(y)", "z = copy.deepcopy(y)", "z = y.copy()", "z = np.shape(y)", "z = np.clip(1.0, y, y)", "z = np.roll(np.ones(3), y)", "z = np.repeat(np.ones(2), y)", "z = np.pad(np.ones(2), y)", "z = np.split(np.ones(4), y)",
    "z = np.bincount(y)", "z = np.bincount([y])", "z = np.zeros(y)", "z = np.arange(y)", "z = np.eye(y)", "z = np.linspace(0, 1, y)", "z = range(y)", "z = [*range(y)]", "z = round(y, -y)", "z = y ** y", "z = pow(y, y)", "z = y % y", "z = int(y)",
    "z = float(y)", "z = bool(y)", "z = abs(y)", "z = np.linalg.inv(y)", "z = np.random.randn(y)", "z = np.random.randint(y)", "z = np.random.choice(y)", "z = np.random.choice(10, y)", "z = np.random.permutation(y)", "for i in y: pass", "a, b = y",
    "a, *b = y", "z = y.T", "z = y.sum()", "z = y.reshape(y)", "z = y.reshape(-1, 1)", "z = np.expand_dims(y, 0)", "z = np.einsum('i,j,k->ijk', y, y, y)", "z = np.einsum('ij,kl->', y, y)", "z = np.tensordot(y, y, 0)", "z = np.dot(y, y)", "z = y @ y",
    "z = np.unique(y)", "z = np.where(y)", "z = np.max(y, axis=y)", "z = np.sum(y, axis=0)", "z = isinstance(y, list)", "x[y] = y", "x[0] = y", "z = x[y, y]", "z = y[y]", "z = y[0]", "y[0] = y", "z = y < y", "z = max(y, y)", "z = [y, y] < [y, y]", "x += y", "x *= y",
    "z = np.maximum(x, y)", "z = x * y", "z = y * x", "z = np.where(x > 0, y, y)", "z = np.insert(x, y, y)", "z = np.delete(x, y)", "z = f(*y)", "z = f(**y)", "z = {**y}", "z = dict(y)", "z = np.tile(x, y)", "z = np.full(3, y)", "z = np.full(y, 3)", "z = np.diag(y)",
)  # fmt: skip

NESTS = (
    ("(", "1", ")"), ("[", "", "]"), ("{", "", "}"), ("-", "1", ""), ("not ", "1", ""), ("~", "1", ""), ("lambda: ", "1", ""), ("f(", "1", ")"), ("x[", "0", "]"), ("1 if x else ", "1", ""), ("[a for a in ", "x", "]"), ("(1, ", "2", ")"),
    ("1 + ", "1", ""), ("2 ** ", "2", ""), ("x.T", "", ".T"), ("{1: ", "1", "}"), ("f(*", "x", ")"), ("await ", "x", ""), ("f'{", "1", "}'"), ("x and ", "x", ""), ("1 < ", "1", ""), ("x", "", "[0]"), ("f", "", "()"), ("'a' ", "'a'", ""), ("1, ", "1", ""), ("(x := ", "1", ")"),
)  # fmt: skip
BLOCKS = ("if 1:", "for a in x:", "while 1:", "def g():", "class B:", "with np.errstate():", "try:")
RAW = (
    "x = '\ud800'", "\x00", "x = 0x" + "f" * 50_000, "x = " + "9" * 5000, "x = 1" + "_1" * 2000, "x = " + "1+" * 5000 + "1", "x" + "=x" * 3000, "\ufeffx = 1", "# coding: utf-7\nx = +AGE-", "x = 1\r\ry = 2\r\n", "x\f= 1", "\t\tx = 1\n x = 2",
    "if 1:\n\tx = 1\n        x = 2", "x = \\\n" * 500 + "1", "x = '''" + "a" * 10_000, "x = (" * 200, "print x\nprint 'a' % x", "exec 'x = 1'", "print >>f, x", "raise E, 'a'", "x = `1`", "x = 0777", "ur'a'", "x <> 1", "def f((a, b)): pass", "%magic\n!touch S\nx = 1", "x = 1e999999", "x = -1e-999999",
    "\N{GREEK SMALL LETTER THETA} = 1\nx = θ + 1", "ｏｐｅｎ('S', 'w')", "＿＿builtins＿＿", "x = 1j", "x = b'a'", "x = ...", "x = ... + ...", "x = {1} | {2}", "é" * 5000, "lambda" * 100, ";" * 1000, "\n" * 20_000, "pass\n" * 20_000, "x=1\n" * 20_000, "@" * 100, ":" * 100,
)  # fmt: skip

OCTAVE_ATTACKS = (
    "system('touch S');", "x = system('touch S');", "eval('system(\"touch S\")');", "evalin('base', 'x');", "evalc('x')", "feval('system', 'touch S');", "f = @system; f('touch S');", "f = str2func('system'); f('touch S');", "cellfun('system', {'touch S'});",
    "cellfun(@system, {'touch S'});", "arrayfun(@(x) system('touch S'), 1:3);", "fid = fopen('S', 'w'); fprintf(fid, 'a'); fclose(fid);", "save S x", "save('S', 'x');", "load('/etc/passwd');", "load /etc/passwd", "source('S.m');", "run('S.m');", "!touch S", "unix('touch S');",
    "shell_cmd('touch S')", "popen('touch S', 'w');", "dlmwrite('S', 1);", "csvwrite('S', 1);", "x = fileread('/etc/passwd');", "x = importdata('/etc/passwd');", "x = urlread('http://localhost');", "exit(3);", "quit", "x = getenv('HOME');", "setenv('A', 'b');", "addpath('/');", "cd /", "ls",
    "delete('S');", "unlink('S');", "mkdir('S');", "x = input('a');", "keyboard;", "x = evalin('caller', '1');", "assignin('base', 'x', 1);", "x = builtin('system', 'touch S');", "x = __builtins__;", "__import__('os');", "open('S', 'w');", "eval(\"1\")", "x = exec('1');", "x = getattr(1, 'a');",
    "x = globals();", "np.os.system('touch S');", "x.__class__;", "x = y.__class__.__base__;", "s.__class__ = 3; t = s.__class__;", "print(open('S'))", "import os", "x = zeros(1e9);", "x = zeros(1e5);", "x = ones(1e6, 1e6);", "x = eye(1e5);", "x = rand(1e9);", "x = repmat(1:10, 1e9, 1);", "x = repmat(ones(9), 1e5);",
    "x = 1:1e12;", "x = 0:1e-12:1;", "x = 1:0:5;", "x = -Inf:Inf;", "x = NaN:3;", "for i = 1:1e12, end", "for i = 1:1e6, y = i; end", "while true, end", "while 1 x = 1; end", "do x = 1; until false", "x = linspace(0, 1, 1e10);", "x = kron(ones(999), ones(999));", "x = diag(ones(1, 1e5));", "x = 9^9^9;", "x = 9^9^9^9^9;",
    "x = ones(1e5, 1) * ones(1, 1e5);", "x = ones(1e5, 1) + ones(1, 1e5);", "x = bsxfun(@plus, ones(1e5, 1), ones(1, 1e5));", "x = ones(1e5, 1) == ones(1, 1e5);", "x = []; x(1e9) = 1;", "x = []; x(1e5, 1e5) = 1;", "x(1e18) = 1;", "c = {}; c{1e9} = 1;", "c = cell(1e9, 1);", "c = cell(1, 1e7);", "x = accumarray(1e9, 1);",
    "x = accumarray([1e5 1e5], 1);", "x = zeros(0, 1e9); y = sum(x);", "x = zeros(0, 1e6); for i = 1:40, x = [x x]; end, y = sum(x);", "x = kron(zeros(0, 1), ones(1, 1e6)); x = kron(x, ones(1, 1e6)); y = sum(x);", "x = ones(1000); for i = 1:1e6, x = x * x; end", "x = inv(rand(1000));", "while true, x = inv(rand(100)); end",
    "x = pinv(rand(900)); ", "while true, x = rand(1000) * 2; end", "while true, x = sort(rand(1, 1e6)); end", "x = ones(500)^1e9;", "x = 2; while true, x = x * x; end", "x = 'a'; while true, x = [x x]; end", "x = 1; while true, x = [x x]; end", "x = 1; while true, x = [x; x]; end", "x = {1}; while true, x = [x x]; end",
    "x = {}; while true, x = {x, x}; end", "x = {}; while true, x{end + 1} = x; end", "s.a = 1; while true, s.a = s; end", "s.a = 1; while true, t.a = s; t.b = s; s = t; end", "x = {}; y = {}; for i = 1:40, x = {x, x}; y = {y, y}; end; z = isequal(x, y);", "s.a = 1; t.a = 1; for i = 1:40, u.a = s; u.b = s; s = u; v.a = t; v.b = t; t = v; end; z = isequal(s, t);",
    "f = @(f) f(f); f(f);", "f = @(g, n) g(g, n + 1) + g(g, n + 1); f(f, 1);", "function r = g(n)\nr = g(n + 1);\nend\ng(1);", "function r = g(n)\nr = g(n) + g(n);\nend\ng(1);", "function g(varargin)\ng(varargin{:}, varargin{:});\nend\ng(1);", "x = arrayfun(@(t) sum(arrayfun(@(u) u, 1:1000)), 1:1000);",
    "x = cellfun(@(t) t, num2cell(1:1e6), 'UniformOutput', false);", "x = reshape(1:10, [], 0);", "x = reshape(1:10, 1e9, []);", "x = reshape(zeros(0, 0), 0, 1e12); y = sum(x);", "x = permute(ones(3), [1e9 1]);", "x = permute(ones(2), 1:60);", "x = ones(2, 2, 2, 2, 2, 2, 2, 2, 2);", "x = cat(1e9, 1, 2);", "x = ones(1, 1, 1, 1e9);",
    "x = conv2(ones(1000), ones(1000));", "x = conv2(ones(1, 1e6), ones(1, 1e4));", "x = meshgrid(1:1e5, 1:1e5);", "x = randperm(1e9);", "x = randi(1e18, 1e9);", "x = circshift(1:3, 1e18);", "x = diff(1:1e6, 60);", "x = tril(ones(1000), 1e18);", "x = mod(1, 1e-300);", "x = sub2ind([1e9 1e9], 1e9, 1e9);", "x = sprintf('%1000000000d', 1);",
    "x = num2str(ones(1e3));", "x = strrep('a', 'a', 'b');", "x = regexprep('aaaa', '(a*)*b', '');", "x = blanks(1e9);", "x = repmat('a', 1, 1e9);", "x = ['a'; 'bc'];", "x = 'a' + 1;", "x = {1}(2);", "x = 5(2);", "x = 5{1};", "x = @sin(3);", "x = (@(t) t)(3);", "x = end;", "x = (1:3)(end)(end)(end)(end);", "x = ones(3)(:)(:)(:)(:)(:)(:);",
    "a(end)(end)(end)(end) = 1;", "a.b.c.d.e.f.g.h = 1;", "a{1}{1}{1}{1}{1}{1} = 1;", "a(1)(2) = 3;", "[a, b] = deal(1e9);", "[a(1e9), b] = size(1);", "[a, [b, c]] = size(1);", "[1, 2] = size(1);", "[] = size(1);", "x = [1 2; 3];", "x = [1, [2; 3]];", "x = {1, 2; 3};", "if x = 3, end", "x += y += 1;", "++x; x++; --x;", "x = y'''''''''';",
    "x = !!!!!!!!1;", "x = -----1;", "x = 3 ...", "x = 'a", "x = \"a", "x = [1 2", "x = (1", "%{\n x", "%}", "end", "endfunction", "else", "function", "function x", "function = 3", "function [a, b", "for", "for i", "for i =", "if", "while", "switch 1", "case 1", "do", "until 1", "try", "catch", "unwind_protect", "@", "@(", "[", "{", "'", "\"", "..", "...", "=", "==", "= 3", "x = = 3",
    "global x", "persistent x = 3;", "classdef A, end", "x = 0xFF;", "x = 3i;", "x = 1e400;", "x = 1e-400;", "x = 1..2;", "x = 1.2.3;", "x = \x00;", "é = 3;", "x = '\ud800';", "break", "continue", "return", "do, continue, until 1", "switch 'a', case {1, 'a', {2}}, x = 1; end", "x = ones(3)(1:1e9);", "x = ones(3)(ones(1, 1e6), ones(1, 1e6));",
    "x = true(1e5)(1);", "x = ones(1000)(:, ones(1, 1e4));", "x = num2cell(1:1e6);", "x = struct('a', {1, 2});", "x = int32(5);", "x = containers.Map();", "x = inputParser;", "warning('off'); error('a %s', system('touch S'));", "x = nnz(ones(1000)); while x, x = nnz(ones(1000)); end", "x = @() x; x()", "x = unique(rand(1, 1e6));", "x = accumarray(ones(1e6, 1), 1);",
)  # fmt: skip
OCTAVE_NESTS = (
    ("(", "1", ")"), ("[", "1", "]"), ("{", "1", "}"), ("-", "1", ""), ("!", "1", ""), ("@() ", "1", ""), ("sum(", "1", ")"), ("x(", "1", ")"), ("x{", "1", "}"), ("1 + ", "1", ""), ("2 ^ ", "2", ""), ("2 ^ -", "2", ""), ("x", "", "'"), ("x", "", "(end)"), ("x", "", ".a"), ("x", "", "{1}"), ("1:", "1", ""), ("1, ", "1", ""), ("1 && ", "1", ""), ("1 == ", "1", ""), ("[1 ", "1", "]"),
)  # fmt: skip
OCTAVE_BLOCKS = (
    ("if 1", "end"),
    ("for i = 1:2", "end"),
    ("while 1", "end"),
    ("do", "until 1"),
    ("switch 1\ncase 1", "end"),
    ("try", "end"),
    ("if 0, elseif 1", "end"),
    ("function g", "end"),
    ("unwind_protect", "end"),
)


def hostile_program(draw: random.Random) -> tuple[str, str]:
    """Return a program's text and its file's name."""
    if draw.random() < 0.35:
        text, name = _octave(draw), "hostile.m"
    else:
        text, name = _python(draw), "hostile.py"
    if draw.random() < 0.15:
        text = _damaged(draw, text)
    return text.replace("'S", f"'{SENTINEL}").replace(" S'", f" {SENTINEL}'"), name


def _python(draw: random.Random) -> str:
    parts = [BEFORE] if draw.random() < 0.95 else []
    for _ in range(draw.randint(1, 3)):
        kind = draw.random()
        if kind < 0.2:
            parts.append(_placed_escape(draw, draw.choice(ESCAPES)))
        elif kind < 0.5:
            parts.append(draw.choice(STATEMENTS))
        elif kind < 0.85:
            parts.append(_grown(draw))
        elif kind < 0.95:
            parts.append(_nested(draw))
        else:
            parts.append(draw.choice(RAW))
    if draw.random() < 0.2:
        body = "\n".join(parts[1:]).replace("\n", "\n    ")
        parts = [parts[0], f"def h(x, y=1):\n    {body}\n    return x\nh(x)\nh(x, y=h)"]
    return "\n".join(parts)


def _placed_escape(draw: random.Random, escape: str) -> str:
    return draw.choice(
        (
            "y = {}", "{}", "print({})", "y = [{}, {}]", "y = f({})", "if {}: y = 1", "for y in {}: pass", "y = x if {} else x", "def g(a={}): return a\ng()",
            "y = lambda: {}\ny()", "x[0] = {}", "y = [{} for a in x]", "class B:\n    y = {}\nB.y", "y = {{'a': {}}}", "assert {}", "return {}", "y, z = {}", "x += {}", "y = f'{{{}}}'",
            "while {}: break", "with {} as y: pass", "del {}", "y = ({})({})", "y = ({}).a", "y = ({})[0]", "y = np.array({})", "y = np.exp({})", "y = str({})", "{} = 1", "for {} in x: pass",
            "@{}\ndef g(): pass", "class B({}): pass", "raise {}", "try:\n    {}\nexcept {}: pass", "y = yield {}", "y = not {}", "y = -{}", "y = {} + {}", "y = {} @ {}", "y = {} == {}", "f(*{})", "f(**{})",
        )
    ).format(*[escape] * 3)  # fmt: skip


def _grown(draw: random.Random) -> str:
    times = draw.choice(("5", "20", "40", "100", "3000", "10**6", "10**12"))
    growth = "\n    ".join(draw.choice(GROWTHS) for _ in range(draw.randint(1, 2)))
    probes = "\n".join(draw.choice(PROBES) for _ in range(draw.randint(0, 2)))
    if draw.random() < 0.1:
        return f"y = {draw.choice(STARTS)}\n{growth.replace(chr(10) + '    ', chr(10))}\n{probes}"
    return f"y = {draw.choice(STARTS)}\nfor _ in range({times}):\n    {growth}\n{probes}"


def _nested(draw: random.Random) -> str:
    times = draw.choice((5, 20, 50, 90, 100, 150, 500, 3000, 20_000))
    if draw.random() < 0.2:
        block = draw.choice(BLOCKS)
        deep = min(times, 110)
        return "".join(f"{' ' * k}{block}\n" for k in range(deep)) + " " * deep + "pass"
    opening, inside, closing = draw.choice(NESTS)
    if not inside:
        return "y = " + opening + inside + closing * times
    return "y = " + opening * times + inside + closing * times


def _octave(draw: random.Random) -> str:
    parts = ["x = reshape(1:12, 3, 4); y = x > 3; c = {1, 'a', x}; s.a = x;\n"]
    for _ in range(draw.randint(1, 3)):
        kind = draw.random()
        if kind < 0.65:
            parts.append(draw.choice(OCTAVE_ATTACKS))
        elif kind < 0.8:
            parts.append(_octave_grown(draw))
        else:
            parts.append(_octave_nested(draw))
    return draw.choice(("\n", "\n", "; ", " ")).join(parts)


def _octave_grown(draw: random.Random) -> str:
    start = draw.choice(
        ("1", "'a'", "{}", "{1}", "[]", "ones(3)", "zeros(0, 3)", "zeros(3, 0)", "1:10", "true", "@(t) t", "1e300", "s")
    )
    growth = draw.choice(
        (
            "v = [v v];", "v = [v; v];", "v = {v, v};", "v{end + 1} = v;", "v = v * v;", "v = v(:) * v(:)';", "v = kron(v, v);", "v = repmat(v, 2, 2);", "v(end * 2) = 1;", "v(end + 1, end + 1) = 1;", "v = v .^ 2;", "v = v + v';",
            "v = [v, v(:)'];", "w.a = v; w.b = v; v = w;", "v = @() v;", "v = @(t) v(t) + v(t);", "v = num2str(v);", "v = cat(3, v, v);", "v = v(:, [1:end 1:end]);", "v = v([1:end 1:end]);", "v = bsxfun(@plus, v(:), v(:)');", "v = cumsum(v)';", "v = [v {v}];",
        )
    )  # fmt: skip
    probe = draw.choice(
        (
            "",
            "z = sum(v);",
            "z = isequal(v, v);",
            "z = v(1);",
            "z = size(v);",
            "z = v{1};",
            "z = [v; v];",
            "z = numel(v);",
            "for z = v, end",
            "z = x(v);",
            "x(v) = v;",
            "z = x + v;",
            "z = max(v, [], 1);",
            "z = v';",
        )
    )
    return f"v = {start}; for i = 1:{draw.choice(('5', '20', '60', '1e4', '1e7'))}, {growth} end\n{probe}"


def _octave_nested(draw: random.Random) -> str:
    times = draw.choice((5, 20, 40, 90, 300, 3000, 20_000))
    if draw.random() < 0.25:
        opening, closing = draw.choice(OCTAVE_BLOCKS)
        return f"{opening}\n" * min(times, 500) + "x = 1;\n" + f"{closing}\n" * min(times, 500)
    opening, inside, closing = draw.choice(OCTAVE_NESTS)
    if not inside:
        return "z = " + opening + closing * times + ";"
    return "z = " + opening * times + inside + closing * times + ";"


def _damaged(draw: random.Random, text: str) -> str:
    """Cut, double or swap pieces of a text."""
    for _ in range(draw.randint(1, 4)):
        a, b = sorted((draw.randint(0, len(text)), draw.randint(0, len(text))))
        b = min(b, a + 40)
        kind = draw.random()
        if kind < 0.4:
            text = text[:a] + text[b:]
        elif kind < 0.7:
            text = text[:b] + text[a:b] + text[b:]
        else:
            text = text[:a] + draw.choice("()[]{}'\"\\\n\t :;,.=+-*/@#%!~^&|<>0123456789axé") + text[a:]
    return text
