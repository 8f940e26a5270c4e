function [J, grad] = costFunctionReg(theta, X, y, lambda)

% Initialize some useful values
m = length(y); % number of training examples

% You need to return the following variables correctly
J = 0;
grad = zeros(size(theta));

h_theta = sigmoid(X * theta);
reg_term = (lambda / (2 * m)) * sum(theta(2:size(theta)) .^ 2);
J = (1 / m) * (-y' * log(h_theta) - (1 - y)' * log(1 - h_theta)) + reg_term;

grad(1) = (1 / m) * (X(:, 1)' * (h_theta - y));
for j = 2:length(theta)
    grad(j) = (1 / m) * sum((h_theta - y) .* X(:, j)) + (lambda / m) * theta(j);
end

end
