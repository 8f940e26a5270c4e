// What a program of `to_javascript` calls: arrays as {shape, data}, rows one after another, and NumPy's names for what is done.

const np = (() => {
  const size = (shape) => shape.reduce((n, length) => n * length, 1);
  const make = (shape, fill = 0) => ({ shape, data: new Float64Array(size(shape)).fill(fill) });
  const asArray = (x) => (typeof x === "number" ? { shape: [], data: [x] } : x);

  const tonumber = (x) => (typeof x === "number" ? x : x.data[0]);

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

  // --- the explicit matrices of a chain -------------------------------------------------------------

  function eye(n) {
    const result = make([n, n]);
    for (let i = 0; i < n; i += 1) result.data[i * n + i] = 1;
    return result;
  }

  // The matrix with a vector on its diagonal, or the diagonal of a matrix.
  function diag({ shape, data }) {
    if (shape.length === 2) {
      const count = Math.min(...shape);
      return { shape: [count], data: Float64Array.from({ length: count }, (_, i) => data[i * (shape[1] + 1)]) };
    }
    const result = make([data.length, data.length]);
    for (let i = 0; i < data.length; i += 1) result.data[i * data.length + i] = data[i];
    return result;
  }

  // One length may be -1: what is left.
  function reshape({ data }, shape) {
    const known = -size(shape);
    return { shape: shape.map((n) => (n === -1 ? data.length / known : n)), data };
  }

  // As NumPy's, which puts axes of length 1 before those that one of the two lacks.
  function kron(a, b) {
    const axes = Math.max(a.shape.length, b.shape.length);
    const [[ra, ca], [rb, cb]] = [a, b].map(({ shape }) => [...new Array(2 - shape.length).fill(1), ...shape]);
    const result = make(axes === 2 ? [ra * rb, ca * cb] : [ca * cb]);
    const width = ca * cb;
    for (let i = 0; i < ra; i += 1) {
      for (let j = 0; j < ca; j += 1) {
        const factor = a.data[i * ca + j];
        if (factor === 0) continue;
        for (let k = 0; k < rb; k += 1) for (let l = 0; l < cb; l += 1) result.data[(i * rb + k) * width + j * cb + l] = factor * b.data[k * cb + l];
      }
    }
    return result;
  }

  const vec = (a, order) => ({ shape: [a.data.length], data: (order === "F" ? transpose(a) : a).data });

  // The rows of an identity that entries of an array of numbered places pick.
  function picked(places, count) {
    const result = make([places.length, count]);
    places.forEach((place, row) => { result.data[row * count + place] = 1; });
    return result;
  }

  function numbered(shape, order) {
    const n = size(shape);
    const places = { shape: order === "F" ? [...shape].reverse() : shape, data: Float64Array.from({ length: n }, (_, i) => i) };
    return order === "F" ? transpose(places) : places;
  }

  const commutation = (rows, columns, order) => picked(vec(transpose(numbered([rows, columns], order)), order).data, rows * columns);
  const selection = (shape, key, order) => picked(vec(part(numbered(shape, order), key), order).data, size(shape));

  function per_example(delta, axis, order) {
    const [rows, columns] = delta.shape;
    const result = make([delta.shape[axis], delta.data.length]);
    for (let r = 0; r < rows; r += 1) {
      for (let c = 0; c < columns; c += 1) {
        const place = order === "F" ? c * rows + r : r * columns + c;
        result.data[(axis === 0 ? r : c) * delta.data.length + place] = delta.data[r * columns + c];
      }
    }
    return result;
  }

  const reshaping = (before, after, order) => picked(vec({ shape: after, data: numbered(before, order).data }, order).data, size(before));

  // diag(d) − u vᵀ for each example, which lies along the other axis than that of the features.
  function diagonal_minus_outer(d, u, v, axis, order) {
    const [rows, columns] = d.shape;
    const n = d.data.length;
    const [U, V] = [u, v].map((a) => broadcast((own) => own, a, d).data);
    const result = make([n, n]);
    const place = (r, c) => (order === "F" ? c * rows + r : r * columns + c);
    for (let i = 0; i < n; i += 1) {
      const [r, c] = [Math.floor(i / columns), i % columns];
      result.data[place(r, c) * (n + 1)] += d.data[i];
      for (let k = 0; k < (axis === 1 ? columns : rows); k += 1) {
        const [s, t] = axis === 1 ? [r, k] : [k, c];
        result.data[place(r, c) * n + place(s, t)] -= U[i] * V[s * columns + t];
      }
    }
    return result;
  }

  // --- sums over indices, windows of images ---------------------------------------------------------

  // The sum over the indices that the result does not have, as NumPy's einsum.
  function einsum(spec, ...arrays) {
    const [inputs, output] = spec.split("->");
    const own = inputs.split(",");
    const lengths = {};
    own.forEach((letters, k) => [...letters].forEach((letter, axis) => { lengths[letter] = Math.max(lengths[letter] ?? 0, arrays[k].shape[axis]); }));
    const letters = [...output, ...Object.keys(lengths).filter((letter) => !output.includes(letter))];
    const result = make([...output].map((letter) => lengths[letter]));
    const steps = [...own.map((text, k) => [text, arrays[k].shape]), [output, result.shape]].map(([text, shape]) => {
      const each = strides(shape, shape.length);
      return letters.map((letter) => [...text].reduce((sum, other, axis) => sum + (other === letter ? each[axis] : 0), 0));
    });
    const at = letters.map(() => 0);
    const place = (k) => at.reduce((sum, n, axis) => sum + n * steps[k][axis], 0);
    for (let i = size(letters.map((letter) => lengths[letter])); i > 0; i -= 1) {
      result.data[place(arrays.length)] += arrays.reduce((product, a, k) => product * a.data[place(k)], 1);
      for (let axis = letters.length - 1; axis >= 0 && (at[axis] += 1) === lengths[letters[axis]]; axis -= 1) at[axis] = 0;
    }
    return result;
  }

  // Strides, dilations and margins; what is not given is as the first of its kind.
  const windows = (height, width, stride, pad, dilation = 1, across = stride, apart = dilation, bottom = pad, left = pad, right = pad) => ({
    height,
    width,
    places: (rows, columns) => [
      Math.floor((rows + pad + bottom - dilation * (height - 1) - 1) / stride) + 1,
      Math.floor((columns + left + right - apart * (width - 1) - 1) / across) + 1,
    ],
    // Visits every entry of every window: the window's place, the entry's place in it, and where it is in the image, −1 outside.
    visit(rows, columns, visitor) {
      const [down, over] = this.places(rows, columns);
      for (let p = 0; p < down * over; p += 1) {
        for (let k = 0; k < height * width; k += 1) {
          const y = Math.floor(p / over) * stride + Math.floor(k / width) * dilation - pad;
          const x = (p % over) * across + (k % width) * apart - left;
          visitor(p, k, y >= 0 && y < rows && x >= 0 && x < columns ? y * columns + x : -1);
        }
      }
    },
  });

  function im2col({ shape, data }, ...numbers) {
    const w = windows(...numbers);
    const [count, channels, rows, columns] = shape;
    const [inside, places] = [w.height * w.width, size(w.places(rows, columns))];
    const result = make([count, channels * inside, places]);
    for (let n = 0; n < count * channels; n += 1) {
      w.visit(rows, columns, (p, k, at) => { if (at >= 0) result.data[(n * inside + k) * places + p] = data[n * rows * columns + at]; });
    }
    return result;
  }

  function col2im({ shape, data }, channels, rows, columns, ...numbers) {
    const w = windows(...numbers);
    const [inside, places] = [w.height * w.width, size(w.places(rows, columns))];
    const result = make([shape[0], channels, rows, columns]);
    for (let n = 0; n < shape[0] * channels; n += 1) {
      w.visit(rows, columns, (p, k, at) => { if (at >= 0) result.data[n * rows * columns + at] += data[(n * inside + k) * places + p]; });
    }
    return result;
  }

  function im2row({ shape, data }, ...numbers) {
    const w = windows(...numbers);
    const [count, rows, columns, channels] = shape;
    const [inside, places] = [w.height * w.width, size(w.places(rows, columns))];
    const result = make([count * places, inside * channels]);
    for (let n = 0; n < count; n += 1) {
      w.visit(rows, columns, (p, k, at) => {
        for (let c = 0; at >= 0 && c < channels; c += 1) {
          result.data[((n * places + p) * inside + k) * channels + c] = data[(n * rows * columns + at) * channels + c];
        }
      });
    }
    return result;
  }

  function row2im({ shape, data }, rows, columns, channels, ...numbers) {
    const w = windows(...numbers);
    const [inside, places] = [w.height * w.width, size(w.places(rows, columns))];
    const count = shape[0] / places;
    const result = make([count, rows, columns, channels]);
    for (let n = 0; n < count; n += 1) {
      w.visit(rows, columns, (p, k, at) => {
        for (let c = 0; at >= 0 && c < channels; c += 1) {
          result.data[(n * rows * columns + at) * channels + c] += data[((n * places + p) * inside + k) * channels + c];
        }
      });
    }
    return result;
  }

  // The entries turned around along some axes.
  function turned(array, axis, count = 2) {
    const steps = strides(array.shape, array.shape.length);
    const result = make(array.shape);
    for (let i = 0; i < result.data.length; i += 1) {
      let from = i;
      for (let a = axis; a < axis + count; a += 1) {
        if (array.shape[a] > 1) from += (array.shape[a] - 1 - 2 * (Math.floor(i / steps[a]) % array.shape[a])) * steps[a];
      }
      result.data[i] = array.data[from];
    }
    return result;
  }

  // The windows of every image and channel, whose places lie along `axis` and the next: what is handed on are the window and its entries.
  function pooled(X, [height, width, stride, pad, axis = 2, across = stride, bottom = pad, left = pad, right = pad], visitor) {
    const w = windows(height, width, stride, pad, 1, across, 1, bottom, left, right);
    const [rows, columns] = X.shape.slice(axis, axis + 2);
    const [down, over] = w.places(rows, columns);
    const shape = [...X.shape.slice(0, axis), down, over, ...X.shape.slice(axis + 2)];
    const [inner, outer] = [size(X.shape.slice(axis + 2)), size(X.shape.slice(0, axis))];
    for (let n = 0; n < outer; n += 1) {
      for (let m = 0; m < inner; m += 1) {
        const found = Array.from({ length: down * over }, () => []);
        w.visit(rows, columns, (p, k, at) => found[p].push(at < 0 ? -1 : (n * rows * columns + at) * inner + m));
        found.forEach((entries, p) => visitor((n * down * over + p) * inner + m, entries));
      }
    }
    return shape;
  }

  // The first of the largest entries, as NumPy's argmax has it.
  const largest = ({ data }, entries) => entries.reduce((best, i) => (i >= 0 && (best < 0 || data[i] > data[best]) ? i : best), -1);

  function pool(X, numbers, value) {
    const found = [];
    const shape = pooled(X, numbers, (place, entries) => { found[place] = value(entries); });
    return { shape, data: Float64Array.from(found) };
  }

  const maxpool = (X, ...numbers) => pool(X, numbers, (entries) => X.data[largest(X, entries)]);
  const maxpick = (tX, X, ...numbers) => pool(X, numbers, (entries) => tX.data[largest(X, entries)]);
  const avgpool = (X, ...numbers) => pool(X, numbers, (entries) => entries.reduce((sum, i) => sum + (i < 0 ? 0 : X.data[i]), 0) / entries.length);

  function maxunpool(dA, X, ...numbers) {
    const result = make(X.shape);
    pooled(X, numbers, (place, entries) => { result.data[largest(X, entries)] += dA.data[place]; });
    return result;
  }

  function avgunpool(dA, X, ...numbers) {
    const result = make(X.shape);
    pooled(X, numbers, (place, entries) => entries.forEach((i) => { if (i >= 0) result.data[i] += dA.data[place] / entries.length; }));
    return result;
  }

  // --- systems of equations -------------------------------------------------------------------------

  // Rows of [A B] are exchanged and subtracted until A is an identity; returns A⁻¹B and the determinant.
  function eliminated(A, B) {
    const [n, m] = [A.shape[0], B.shape[1] ?? 1];
    const rows = Array.from({ length: n }, (_, r) => [...A.data.slice(r * n, (r + 1) * n), ...B.data.slice(r * m, (r + 1) * m)]);
    let det = 1;
    for (let k = 0; k < n; k += 1) {
      let best = k;
      for (let r = k + 1; r < n; r += 1) if (Math.abs(rows[r][k]) > Math.abs(rows[best][k])) best = r;
      if (best !== k) { [rows[k], rows[best]] = [rows[best], rows[k]]; det = -det; }
      const pivot = rows[k][k];
      if (pivot === 0) return { det: 0, X: null };
      det *= pivot;
      rows[k] = rows[k].map((number) => number / pivot);
      for (let r = 0; r < n; r += 1) {
        const factor = rows[r][k];
        if (r !== k && factor !== 0) rows[r] = rows[r].map((number, c) => number - factor * rows[k][c]);
      }
    }
    return { det, X: { shape: B.shape, data: Float64Array.from(rows.flatMap((row) => row.slice(n))) } };
  }

  const solve = (A, B) => {
    const { X } = eliminated(A, B);
    if (X === null) throw new Error("the matrix is singular");
    return X;
  };

  // The value of a tree, as `tree` of jacobians.symbols.javascript writes it: no text is ever run.
  function evaluate(tree, names, functions = {}) {
    if (typeof tree === "number") return tree;
    if (typeof tree === "string") {
      if (!(tree in names)) throw new Error(`${tree} has no value; there are ${Object.keys(names).join(", ")}`);
      return names[tree];
    }
    if (!Array.isArray(tree)) return tree.slices ?? tree.order ?? tree.indices ?? tree;
    const [name, ...parts] = tree;
    if (name === "list") return parts.map((part) => evaluate(part, names, functions));
    if (name === "pi") return Math.PI;
    if (name === "call") {
      const [called, ...given] = parts;
      const [parameters, lines] = functions[called];
      const own = Object.fromEntries(given.map((each, i) => [parameters[i], evaluate(each, names, functions)]));
      return run(lines, own, functions)[""];
    }
    return np[name](...parts.map((part) => evaluate(part, names, functions)));
  }

  // Lines of a program, each a name and a tree, after another; returns `names` with what they compute.
  function run(lines, names, functions = {}) {
    for (const [name, line] of lines) names[name] = evaluate(line, names, functions);
    return names;
  }

  const of = (f) => (...arrays) => broadcast(f, ...arrays);
  const logaddexp = (a, b) => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
  const np = {
    array, tolist, transpose, matmul, part, eye, diag, kron, vec, commutation, selection, reshaping, per_example, diagonal_minus_outer, evaluate, run, einsum,
    im2col, col2im, im2row, row2im, turned, maxpool, maxpick, maxunpool, avgpool, avgunpool, broadcast_to: (a, shape) => broadcast((own) => own, a, make(shape)), reshape,
    add: of((a, b) => a + b), subtract: of((a, b) => a - b), multiply: of((a, b) => a * b), divide: of((a, b) => a / b),
    power: of(Math.pow), outer: (a, b) => matmul(reshape(a, [-1, 1]), reshape(b, [1, -1])), negative: of((a) => -a),
    greater: of((a, b) => +(a > b)), greater_equal: of((a, b) => +(a >= b)), less: of((a, b) => +(a < b)),
    where: of((c, a, b) => (c ? a : b)), maximum: of(Math.max), minimum: of(Math.min), logaddexp: of(logaddexp),
    exp: of(Math.exp), log: of(Math.log), log1p: of(Math.log1p), tanh: of(Math.tanh), cosh: of(Math.cosh), sinh: of(Math.sinh), tan: of(Math.tan), arctan: of(Math.atan), sin: of(Math.sin), cos: of(Math.cos), sqrt: of(Math.sqrt),
    abs: of(Math.abs), sign: of(Math.sign), ndtr: of(normal), pi: Math.PI,
    sum: (a, how = {}) => reduced((x, y) => x + y, 0, a, how),
    max: (a, how = {}) => reduced(Math.max, -Infinity, a, how),
    ones: (n) => make([n].flat(), 1), zeros: (n) => make([n].flat()),
    column_stack: (arrays) => concatenate(arrays.map(asColumn), 1), vstack: (arrays) => concatenate(arrays.map(asRow), 0),
    solve, inv: (A) => solve(A, eye(A.shape[0])), det: (A) => ({ shape: [], data: [eliminated(A, eye(A.shape[0])).det] }),
    trace: ({ shape, data }) => ({ shape: [], data: [data.reduce((sum, a, i) => sum + (i % (shape[1] + 1) === 0 && i < shape[1] ** 2 ? a : 0), 0)] }),
    norm: ({ data }) => ({ shape: [], data: [Math.hypot(...data)] }),
    full: (n, value) => make([n].flat(), tonumber(value)),
  };
  return np;
})();
