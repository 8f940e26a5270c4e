function [J, dtheta, db] = logRegLoops(theta, b, X, y, lambda)
m = length(y);
n = size(X, 2);
J = 0;
dtheta = zeros(n, 1);
db = 0;
for i = 1:m
    z = X(i, :) * theta + b;
    h = 1 / (1 + exp(-z));
    J = J - y(i) * log(h) - (1 - y(i)) * log(1 - h);
    err = h - y(i);
    for j = 1:n
        dtheta(j) = dtheta(j) + err * X(i, j);
    end
    db = db + err;
end
J = J / m;
dtheta = dtheta / m;
db = db / m;
for j = 1:n
    J = J + lambda / (2 * m) * theta(j) ^ 2;
    dtheta(j) = dtheta(j) + lambda / m * theta(j);
end
end
