% Backpropagation for exercise 4, as a script: X, y_onehot, Theta1, Theta2, lambda are in the workspace
m = size(X, 1);
A1 = [ones(m, 1), X];
Z2 = A1 * Theta1.';
A2 = [ones(m, 1), 1 ./ (1 + exp(-Z2))];
Z3 = A2 * Theta2.';
H = 1 ./ (1 + exp(-Z3));

J = (1 / m) * sum(sum(-y_onehot .* log(H) - (1 - y_onehot) .* log(1 - H), 2));
reg = (lambda / (2 * m)) * (sum(sum(Theta1(:, 2:end) .^ 2, 2)) + sum(sum(Theta2(:, 2:end) .^ 2, 2)));
J = J + reg;
fprintf('cost: %f\n', J);

Sigma3 = H - y_onehot;
Sigma2 = (Sigma3 * Theta2) .* A2 .* (1 - A2);
Sigma2 = Sigma2(:, 2:end);
Delta_1 = Sigma2' * A1;
Delta_2 = Sigma3' * A2;

Theta1_grad = Delta_1 ./ m + (lambda / m) * [zeros(size(Theta1, 1), 1) Theta1(:, 2:end)];
Theta2_grad = Delta_2 ./ m + (lambda / m) * [zeros(size(Theta2, 1), 1) Theta2(:, 2:end)];
