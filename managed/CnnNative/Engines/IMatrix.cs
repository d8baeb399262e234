namespace CnnNative.Engines;

/// <summary>Matrix products, row-major.</summary>
public interface IMatrix
{
    /// <summary>c = op(a) op(b), with op(a) of (m, k), op(b) of (k, n), c of (m, n); op transposes where asked. k = 0 gives zeros.</summary>
    /// <param name="a">Matrix (m, k), or (k, m) if transposed.</param>
    /// <param name="transposeA">Whether a is used transposed.</param>
    /// <param name="b">Matrix (k, n), or (n, k) if transposed.</param>
    /// <param name="transposeB">Whether b is used transposed.</param>
    /// <param name="c">Output (m, n), overwritten.</param>
    void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor c);

    /// <summary>y = activation(x w^T + bias).</summary>
    /// <param name="x">Input (n, in).</param>
    /// <param name="w">Weights (out, in).</param>
    /// <param name="bias">Bias (out), or null.</param>
    /// <param name="activation">Applied to the result.</param>
    /// <param name="y">Output (n, out), overwritten.</param>
    void LinearForward(Tensor x, Tensor w, Tensor? bias, ActivationKind activation, Tensor y);

    /// <summary>Sums the rows of a matrix: the gradient by a bias.</summary>
    /// <param name="dy">Matrix (n, out).</param>
    /// <param name="db">Output (out), overwritten.</param>
    void SumRows(Tensor dy, Tensor db);
}
