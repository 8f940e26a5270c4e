function [J, grad] = linearRegCostFunction(X, y, theta, lambda)
% Regularized linear regression, the bias theta(1) is not regularized

m = length(y);

J = sum((X * theta - y) .^ 2) / (2 * m) + lambda / (2 * m) * sum(theta(2:end) .^ 2);

grad = X' * (X * theta - y) / m;
grad(2:end) = grad(2:end) + (lambda / m) * theta(2:end);

grad = grad(:);
end
