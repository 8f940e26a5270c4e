function [f, g] = softmax_regression_vec(theta, X, y)
  %
  % theta - n x (num_classes - 1): the last class's parameters are 0
  % X - X(i,j) is the i'th coordinate of the j'th example
  % y - the label of each example, 1 ... num_classes
  %
  m = size(X, 2);
  n = size(X, 1);

  theta = reshape(theta, n, []);
  num_classes = size(theta, 2) + 1;

  h = [theta' * X; zeros(1, m)];
  h = exp(h);
  p = bsxfun(@rdivide, h, sum(h, 1));
  logp = log(p);
  index = sub2ind(size(logp), y, 1:m);
  f = -sum(logp(index));

  yCompare = bsxfun(@eq, (1:num_classes)', y);
  g = X * (p - yCompare)';
  g = g(:, 1:end-1);
  g = g(:); % make gradient a vector for minFunc
end
