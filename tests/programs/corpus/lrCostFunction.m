function [J, grad] = lrCostFunction(theta, X, y, lambda)
%LRCOSTFUNCTION Logistic regression with regularization, vectorized

m = length(y);
J = 0;
grad = zeros(size(theta));

h = sigmoid(X * theta);
temp = theta;
temp(1) = 0;   % because we don't add anything for j = 0
J = (-1 / m) * sum(y .* log(h) + (1 - y) .* log(1 - h)) + (lambda / (2 * m)) * (temp' * temp);
grad = (X' * (h - y) + lambda * temp) / m;
% =============================================================

grad = grad(:);

end
