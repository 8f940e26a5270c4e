function [cost, grad] = sparseAutoencoderCost(theta, visibleSize, hiddenSize, ...
                                              lambda, sparsityParam, beta, data)
% W1 is hiddenSize x visibleSize, W2 its counterpart; data holds one example per column

W1 = reshape(theta(1:hiddenSize*visibleSize), hiddenSize, visibleSize);
W2 = reshape(theta(hiddenSize*visibleSize+1:2*hiddenSize*visibleSize), visibleSize, hiddenSize);
b1 = theta(2*hiddenSize*visibleSize+1:2*hiddenSize*visibleSize+hiddenSize);
b2 = theta(2*hiddenSize*visibleSize+hiddenSize+1:end);

m = size(data, 2);

z2 = W1 * data + repmat(b1, 1, m);
a2 = sigmoid(z2);
z3 = W2 * a2 + repmat(b2, 1, m);
a3 = sigmoid(z3);

rho = sum(a2, 2) / m;
Jcost = (0.5 / m) * sum(sum((a3 - data) .^ 2));
Jweight = 0.5 * (sum(sum(W1 .^ 2)) + sum(sum(W2 .^ 2)));
Jsparse = sum(sparsityParam * log(sparsityParam ./ rho) + ...
              (1 - sparsityParam) * log((1 - sparsityParam) ./ (1 - rho)));
cost = Jcost + lambda * Jweight + beta * Jsparse;

d3 = -(data - a3) .* sigmoidInv(z3);
sterm = beta * (-sparsityParam ./ rho + (1 - sparsityParam) ./ (1 - rho));
d2 = (W2' * d3 + repmat(sterm, 1, m)) .* sigmoidInv(z2);

W1grad = d2 * data' / m + lambda * W1;
W2grad = d3 * a2' / m + lambda * W2;
b1grad = sum(d2, 2) / m;
b2grad = sum(d3, 2) / m;

grad = [W1grad(:) ; W2grad(:) ; b1grad(:) ; b2grad(:)];

end

function sigm = sigmoid(x)
    sigm = 1 ./ (1 + exp(-x));
end

function sigmInv = sigmoidInv(x)
    sigmInv = sigmoid(x) .* (1 - sigmoid(x));
end
