function [J, grad] = costFunction(theta, X, y)
%COSTFUNCTION Compute cost and gradient for logistic regression by loops

m = length(y);
J = 0;
grad = zeros(size(theta));
n = size(X, 2);

for i = 1:m,
  h = sigmoid(X(i, :) * theta);
  J = J + (-y(i) * log(h) - (1 - y(i)) * log(1 - h));
  for j = 1:n,
    grad(j) = grad(j) + (h - y(i)) * X(i, j);
  endfor;
endfor;

J = J / m;
grad = grad / m;

end
