function [J, grad] = computeCostGradient(theta, X, y)
%COMPUTECOSTGRADIENT Linear regression with one or more variables
%   X has a first column of ones.

m = length(y); % number of training examples
J = 0;
grad = zeros(size(theta));

h = X * theta;
err = h - y;
J = (1 / (2 * m)) * sum(err .^ 2);
grad = (1 / m) * (X' * err);

end
