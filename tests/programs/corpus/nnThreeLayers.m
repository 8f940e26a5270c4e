function [J, grad] = nnThreeLayers(params, n_in, n_h1, n_h2, n_out, X, y, lambda)
% Cost and gradient of a net with two hidden layers.
m = size(X, 1);
s1 = n_h1 * (n_in + 1);
s2 = n_h2 * (n_h1 + 1);
W1 = reshape(params(1:s1), n_h1, n_in + 1);
W2 = reshape(params(s1 + 1:s1 + s2), n_h2, n_h1 + 1);
W3 = reshape(params(s1 + s2 + 1:end), n_out, n_h2 + 1);

% forward
a1 = [ones(m, 1), X];
z2 = a1 * W1';
a2 = [ones(m, 1), sigmoid(z2)];
z3 = a2 * W2';
a3 = [ones(m, 1), sigmoid(z3)];
z4 = a3 * W3';
h = sigmoid(z4);

Y = eye(n_out)(y, :);
J = -1 / m * sum(sum(Y .* log(h) + (1 - Y) .* log(1 - h)));
reg = sum(sum(W1(:, 2:end) .^ 2)) + sum(sum(W2(:, 2:end) .^ 2)) + sum(sum(W3(:, 2:end) .^ 2));
J = J + lambda / (2 * m) * reg;

% backward
d4 = h - Y;
d3 = (d4 * W3(:, 2:end)) .* sigmoidGradient(z3);
d2 = (d3 * W2(:, 2:end)) .* sigmoidGradient(z2);

W1_grad = d2' * a1 / m;
W2_grad = d3' * a2 / m;
W3_grad = d4' * a3 / m;

W1_grad(:, 2:end) = W1_grad(:, 2:end) + lambda / m * W1(:, 2:end);
W2_grad(:, 2:end) = W2_grad(:, 2:end) + lambda / m * W2(:, 2:end);
W3_grad(:, 2:end) = W3_grad(:, 2:end) + lambda / m * W3(:, 2:end);

grad = [W1_grad(:); W2_grad(:); W3_grad(:)];
end
