// What a program of `to_javascript` calls: arrays as {shape, data}, rows one after another, and NumPy's names for what is done.

const np = (() => {
  const size = (shape) => shape.reduce((n, length) => n * length, 1);
  const make = (shape, fill = 0) => ({ shape, data: new Float64Array(size(shape)).fill(fill) });
  const asArray = (x) => (typeof x === "number" ? { shape: [], data: [x] } : x);

  function array(nested) {
    const shape = [];
    for (let part = nested; Array.isArray(part); part = part[0]) shape.push(part.length);
    const data = Float64Array.from([nested].flat(Infinity));
    if (data.length !== size(shape)) throw new Error(`rows of unequal length: ${JSON.stringify(nested)}`);
    return { shape, data };
  }

  function tolist({ shape, data }) {
    if (shape.length === 0) return data[0];
    if (shape.length === 1) return [...data];
    const step = data.length / shape[0];
    return Array.from({ length: shape[0] }, (_, i) =>
      tolist({ shape: shape.slice(1), data: data.slice(i * step, (i + 1) * step) }));
  }

  // Steps through an array that is repeated along its axes of length 1.
  function strides(shape, axes) {
    const found = new Array(axes).fill(0);
    for (let axis = shape.length - 1, step = 1; axis >= 0; axis -= 1) {
      if (shape[axis] !== 1) found[axes - shape.length + axis] = step;
      step *= shape[axis];
    }
    return found;
  }

  function broadcast(f, ...given) {
    const arrays = given.map(asArray);
    const axes = Math.max(...arrays.map((a) => a.shape.length));
    const lengths = arrays.map((a) => [...new Array(axes - a.shape.length).fill(1), ...a.shape]);
    const shape = lengths[0].map((_, axis) => lengths.reduce((n, own) => (own[axis] === 1 ? n : own[axis]), 1));
    if (lengths.some((own) => own.some((n, axis) => n !== 1 && n !== shape[axis]))) {
      throw new Error(`shapes do not fit: ${arrays.map((a) => `(${a.shape})`).join(" and ")}`);
    }
    const steps = arrays.map((a) => strides(a.shape, axes));
    const result = make(shape);
    const at = new Array(axes).fill(0);
    for (let i = 0; i < result.data.length; i += 1) {
      result.data[i] = f(...arrays.map((a, k) => a.data[at.reduce((sum, n, axis) => sum + n * steps[k][axis], 0)]));
      for (let axis = axes - 1; axis >= 0 && (at[axis] += 1) === shape[axis]; axis -= 1) at[axis] = 0;
    }
    return result;
  }

  function transpose({ shape, data }) {
    if (shape.length < 2) return { shape, data };
    const [rows, columns] = shape;
    const result = make([columns, rows]);
    for (let i = 0; i < data.length; i += 1) result.data[(i % columns) * rows + Math.floor(i / columns)] = data[i];
    return result;
  }

  function matmul(a, b) {
    const [rows, inner] = a.shape.length === 1 ? [1, a.shape[0]] : a.shape;
    const [length, columns] = b.shape.length === 1 ? [b.shape[0], 1] : b.shape;
    if (inner !== length) throw new Error(`matmul: shapes (${a.shape}) and (${b.shape}) do not fit`);
    const result = make([...a.shape.slice(0, -1), ...b.shape.slice(1)]);
    for (let i = 0; i < rows; i += 1) {
      for (let k = 0; k < inner; k += 1) {
        for (let j = 0; j < columns; j += 1) result.data[i * columns + j] += a.data[i * inner + k] * b.data[k * columns + j];
      }
    }
    return result;
  }

  function reduced(f, start, array, { axis, keepdims = false }) {
    const { shape, data } = array;
    if (axis === undefined) return { shape: [], data: [data.reduce(f, start)] };
    const along = axis < 0 ? axis + shape.length : axis;
    const inner = size(shape.slice(along + 1));
    const result = make(shape.flatMap((n, i) => (i === along ? (keepdims ? [1] : []) : [n])), start);
    for (let i = 0; i < data.length; i += 1) {
      const place = Math.floor(i / (inner * shape[along])) * inner + (i % inner);
      result.data[place] = f(result.data[place], data[i]);
    }
    return result;
  }

  function concatenate(arrays, axis) {
    const parts = axis === 1 ? arrays.map(transpose) : arrays;
    const rows = { shape: [parts.reduce((n, a) => n + a.shape[0], 0), ...parts[0].shape.slice(1)], data: parts.flatMap((a) => [...a.data]) };
    return axis === 1 ? transpose(rows) : rows;
  }

  // A vector is a column beside others, and a row above others.
  const asRow = (a) => (a.shape.length === 1 ? { shape: [1, a.shape[0]], data: a.data } : a);
  const asColumn = (a) => (a.shape.length === 1 ? { shape: [a.shape[0], 1], data: a.data } : a);

  function part(array, key) {
    const ends = key.map((range, axis) => {
      const n = array.shape[axis];
      const [first, last] = [range[0] ?? 0, range[1] ?? n].map((end) => (end < 0 ? end + n : end));
      return [first, last];
    });
    const [[top, bottom], [left, right] = [0, 1]] = ends;
    const width = array.shape[1] ?? 1;
    const result = make(ends.map(([first, last]) => last - first));
    let i = 0;
    for (let r = top; r < bottom; r += 1) for (let c = left; c < right; c += 1) result.data[i++] = array.data[r * width + c];
    return result;
  }

  // The normal distribution's Φ: a series about 0, a continued fraction in the tails. Abramowitz & Stegun, 26.2.11 and 26.2.14.
  function normal(x) {
    const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    if (Math.abs(x) < 3) {
      let [term, sum] = [x, x];
      for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) sum += term *= (x * x) / n;
      return 0.5 + density * sum;
    }
    let tail = 0;
    for (let n = 100; n > 0; n -= 1) tail = n / (Math.abs(x) + tail);
    const upper = density / (Math.abs(x) + tail);
    return x < 0 ? upper : 1 - upper;
  }

  const of = (f) => (...arrays) => broadcast(f, ...arrays);
  const logaddexp = (a, b) => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
  return {
    array, tolist, transpose, matmul, part, reshape: ({ data }, shape) => ({ shape, data }),
    add: of((a, b) => a + b), subtract: of((a, b) => a - b), multiply: of((a, b) => a * b), divide: of((a, b) => a / b),
    power: of(Math.pow), negative: of((a) => -a),
    greater: of((a, b) => +(a > b)), greater_equal: of((a, b) => +(a >= b)), less: of((a, b) => +(a < b)),
    where: of((c, a, b) => (c ? a : b)), maximum: of(Math.max), minimum: of(Math.min), logaddexp: of(logaddexp),
    exp: of(Math.exp), log: of(Math.log), log1p: of(Math.log1p), tanh: of(Math.tanh), cosh: of(Math.cosh), sqrt: of(Math.sqrt),
    abs: of(Math.abs), sign: of(Math.sign), ndtr: of(normal), pi: Math.PI,
    sum: (a, how = {}) => reduced((x, y) => x + y, 0, a, how),
    max: (a, how = {}) => reduced(Math.max, -Infinity, a, how),
    ones: (n) => make([n].flat(), 1), zeros: (n) => make([n].flat()),
    column_stack: (arrays) => concatenate(arrays.map(asColumn), 1), vstack: (arrays) => concatenate(arrays.map(asRow), 0),
  };
})();
