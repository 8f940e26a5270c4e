function [f,g] = linear_regression_loops(theta, X, y)
  %
  % X has an example in every column, y is a row
  m=size(X,2);
  n=size(X,1);

  f=0;
  g=zeros(size(theta));

  for i = 1:m
    h = 0;
    for j = 1:n
      h = h + theta(j) * X(j,i);
    end
    f = f + 0.5 * (h - y(i))^2;
    for j = 1:n
      g(j) = g(j) + X(j,i) * (h - y(i));
    end
  end
end
