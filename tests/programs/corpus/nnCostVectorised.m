function [J grad] = nnCostVectorised(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lambda)
% Neural network cost without loops over the examples

Theta1 = reshape(nn_params(1:hidden_layer_size * (input_layer_size + 1)), hidden_layer_size, (input_layer_size + 1));
Theta2 = reshape(nn_params((1 + (hidden_layer_size * (input_layer_size + 1))):end), num_labels, (hidden_layer_size + 1));
m = size(X, 1);

% Part 1: feedforward
a1 = [ones(m, 1) X];
z2 = a1 * Theta1';
a2 = [ones(size(z2, 1), 1) sigmoid(z2)];
z3 = a2 * Theta2';
a3 = sigmoid(z3);
h = a3;

y_matrix = eye(num_labels)(y, :);
J = -sum(sum(y_matrix .* log(h) + (1 - y_matrix) .* log(1 - h))) / m;

t1 = Theta1;
t1(:, 1) = 0;
t2 = Theta2;
t2(:, 1) = 0;
J += lambda / (2 * m) * (sum(t1(:) .^ 2) + sum(t2(:) .^ 2));

% Part 2: backpropagation
d3 = a3 - y_matrix;
d2 = (d3 * Theta2(:, 2:end)) .* sigmoidGradient(z2);
Delta1 = d2' * a1;
Delta2 = d3' * a2;
Theta1_grad = Delta1 / m + lambda / m * t1;
Theta2_grad = Delta2 / m + lambda / m * t2;

grad = [Theta1_grad(:); Theta2_grad(:)];
end
