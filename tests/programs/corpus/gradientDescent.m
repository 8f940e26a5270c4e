function [theta, J_history] = gradientDescent(X, y, theta, alpha, num_iters)
% Batch gradient descent with all parameters updated at once

m = length(y);
J_history = zeros(num_iters, 1);

for iter = 1:num_iters
    J_history(iter) = sum((X * theta - y) .^ 2) / (2 * m);
    delta = (X * theta - y)' * X / m;
    theta = theta - alpha * delta';
end

end
