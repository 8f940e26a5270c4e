"""Whole Octave programs, written anew in the styles of courses: those that compare with Octave itself run them too."""

PROGRAMS: dict[str, str] = {
    "a cost function with packed weights": """
function g = squash(z)
  g = 1.0 ./ (1.0 + exp(-z));
end

function [J, grad] = netCost(params, n_in, n_hidden, n_out, X, y, lambda)
  % cost and gradient of a net with one hidden layer
  Theta1 = reshape(params(1:n_hidden * (n_in + 1)), n_hidden, (n_in + 1));
  Theta2 = reshape(params((1 + (n_hidden * (n_in + 1))):end), n_out, (n_hidden + 1));
  m = size(X, 1);
  J = 0;
  Theta1_grad = zeros(size(Theta1));
  Theta2_grad = zeros(size(Theta2));

  A1 = [ones(m, 1) X];
  Z2 = A1 * Theta1';
  A2 = [ones(size(Z2, 1), 1) squash(Z2)];
  A3 = squash(A2 * Theta2');
  Y = eye(n_out)(y, :);
  J = (1/m) * sum(sum(-Y .* log(A3) - (1 - Y) .* log(1 - A3))) ...
      + (lambda / (2*m)) * (sum(sum(Theta1(:, 2:end).^2)) + sum(sum(Theta2(:, 2:end).^2)));

  d3 = A3 - Y;
  d2 = (d3 * Theta2)(:, 2:end) .* squash(Z2) .* (1 - squash(Z2));
  Theta1_grad = (d2' * A1) / m;
  Theta2_grad = (d3' * A2) / m;
  Theta1_grad(:, 2:end) = Theta1_grad(:, 2:end) + (lambda / m) * Theta1(:, 2:end);
  Theta2_grad(:, 2:end) += (lambda / m) * Theta2(:, 2:end);
  grad = [Theta1_grad(:) ; Theta2_grad(:)];
endfunction

X = reshape(sin(1:21), 7, 3); y = mod(1:7, 4)' + 1;
params = 0.3 * cos(1:(5 * 4 + 4 * 6))';
[J grad] = netCost(params, 3, 5, 4, X, y, 0.7);
fprintf('cost %f\\n', J);
h = 1e-5; near = params; near(3) = near(3) + h; far = params; far(3) -= h;
slope = (netCost(near, 3, 5, 4, X, y, 0.7) - netCost(far, 3, 5, 4, X, y, 0.7)) / (2*h);
close_enough = abs(slope - grad(3)) < 1e-8;
""",
    "one example after the other": """
m = 6; n = 3; h = 4; K = 3;
X = [ones(m, 1), reshape(cos(1:m*n), m, n)];
labels = [1 2 3 1 2 2];
T1 = reshape(sin(1:h*(n+1)), h, n+1) / 2; T2 = reshape(cos(1:K*(h+1)), K, h+1) / 3;
D1 = zeros(size(T1)); D2 = zeros(size(T2)); J = 0;
for t = 1:m,
  a1 = X(t, :)';
  z2 = T1 * a1; a2 = [1; tanh(z2)];
  z3 = T2 * a2; e = exp(z3 - max(z3)); a3 = e / sum(e);
  yt = zeros(K, 1); yt(labels(t)) = 1;
  J = J - sum(yt .* log(a3));
  delta3 = a3 - yt;
  delta2 = (T2' * delta3) .* (1 - a2 .^ 2);
  delta2 = delta2(2:end);
  D1 = D1 + delta2 * a1'; D2 = D2 + delta3 * a2';
end
J /= m; D1 = D1 ./ m; D2 = D2 ./ m;
""",
    "layers in cells and structs": """
sizes = [3 5 4 2];
L = numel(sizes) - 1;
for l = 1:L
  W{l} = reshape(sin((1:sizes(l+1)*sizes(l)) * l), sizes(l+1), sizes(l));
  net.b{l} = cos(1:sizes(l+1))';
end
x = [0.2 -0.4 0.7; 0.1 0.5 -0.3]'; t = [1 0; 0 1];
a{1} = x;
for l = 1:L
  z{l} = bsxfun(@plus, W{l} * a{l}, net.b{l});
  if l < L
    a{l+1} = max(z{l}, 0);
  else
    a{l+1} = z{l};
  end
end
loss = 0.5 * sum((a{L+1} - t)(:) .^ 2);
delta = a{end} - t;
for l = L:-1:1
  grads.W{l} = delta * a{l}';
  grads.b{l} = sum(delta, 2);
  if l > 1, delta = (W{l}' * delta) .* (z{l-1} > 0); end
end
gW1 = grads.W{1}; gW3 = grads.W{3}; gb2 = grads.b{2};
""",
    "logistic regression, a step of descent, and MATLAB's comments": """
%{
a block of comments: x = 1
%}
x = [34.6 30.2 35.8 60.1]'; z = [78.0 43.8 72.9 86.3]'; % two features
data = [x z [0 0 0 1]'];
X = data(:, [1, 2]); y = data(:, 3);
[m, n] = size(X);
mu = mean(X); sigma = std(X);
X = (X - repmat(mu, m, 1)) ./ repmat(sigma, m, 1);
X = [ones(m, 1) X];
theta = zeros(n + 1, 1); alpha = 0.5; history = zeros(20, 1);
for iter = 1:20
    hx = 1 ./ (1 + exp(-X * theta));
    history(iter) = -1/m * (y' * log(hx) + (1 - y)' * log(1 - hx));
    theta = theta - alpha / m * X' * (hx - y);
endfor
p = hx >= 0.5; accuracy = mean(double(p == y)) * 100;
""",
    "a softmax by columns with sparse labels": """
function G = sparse_like(labels, k)
  G = zeros(k, numel(labels));
  G(sub2ind(size(G), labels, (1:numel(labels))')) = 1;
end
numClasses = 3; data = reshape(sin(1:20), 4, 5); labels = [1; 3; 2; 2; 1];
theta = reshape(cos(1:12), numClasses, 4); lambda = 1e-2;
groundTruth = full(sparse_like(labels, numClasses));
M = theta * data; M = bsxfun(@minus, M, max(M, [], 1));
P = bsxfun(@rdivide, exp(M), sum(exp(M)));
N = size(data, 2);
cost = -1/N * sum(sum(groundTruth .* log(P))) + lambda/2 * sum(theta(:).^2);
thetagrad = -1/N * (groundTruth - P) * data' + lambda * theta;
""",
    "handles, switches and while": """
function k = lower_case(k)
  return;
end
act = @(v) log(1 + exp(v)); scale = 2;
slope = @(v) scale ./ (1 + exp(-v)); scale = 100;
x = linspace(-1, 1, 5);
kind = 'soft';
switch lower_case(kind)
  case {'soft', 'plus'}
    v = act(x); d = slope(x);
  otherwise
    v = x; d = ones(size(x));
end
total = 0; i = 0;
while true
  i++;
  if i > numel(x), break; end
  if mod(i, 2) == 0, continue; endif
  total += v(i) * d(end - i + 1);
end
do
  total *= 0.5;
until total < 0.1 || i == 0
""",
    "an autoencoder with a sparsity penalty": """
visible = 4; hidden = 3; lambda = 0.01; rho = 0.1; beta_ = 3;
theta = sin(1:(2*hidden*visible + hidden + visible))' / 2;
data = 0.5 + 0.3 * reshape(cos(1:24), visible, 6);
W1 = reshape(theta(1:hidden*visible), hidden, visible);
W2 = reshape(theta(hidden*visible+1:2*hidden*visible), visible, hidden);
b1 = theta(2*hidden*visible+1:2*hidden*visible+hidden);
b2 = theta(2*hidden*visible+hidden+1:end);
sig = @(x) 1 ./ (1 + exp(-x));
m = columns(data);
a2 = sig(W1*data + repmat(b1, 1, m)); a3 = sig(W2*a2 + repmat(b2, 1, m));
rhohat = mean(a2, 2);
KL = sum(rho*log(rho./rhohat) + (1-rho)*log((1-rho)./(1-rhohat)));
cost = sum(sum((a3 - data).^2))/(2*m) + lambda/2*(sum(sum(W1.^2)) + sum(sum(W2.^2))) + beta_*KL;
d3 = (a3 - data) .* a3 .* (1 - a3);
d2 = (W2'*d3 + beta_*repmat(-rho./rhohat + (1-rho)./(1-rhohat), 1, m)) .* a2 .* (1-a2);
W1grad = d2*data'/m + lambda*W1; W2grad = d3*a2'/m + lambda*W2;
b1grad = sum(d2, 2)/m; b2grad = sum(d3, 2)/m;
grad = [W1grad(:) ; W2grad(:) ; b1grad(:) ; b2grad(:)];
""",
}
