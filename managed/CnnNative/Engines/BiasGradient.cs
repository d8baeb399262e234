namespace CnnNative.Engines;

/// <summary>The gradient by a bias, whatever it was added to.</summary>
internal static class BiasGradient
{
    /// <summary>db[c] = the sum of dy over all else.</summary>
    /// <param name="dy">Gradient by the output, (n, out) or (N, C, H, W).</param>
    /// <param name="db">Gradient by the bias, (out) or (C), overwritten.</param>
    public static void Sum(Tensor dy, Tensor db)
    {
        var engine = dy.Device.Engine;
        if (dy.Rank == 2) engine.Matrix.SumRows(dy, db);
        else engine.Convolution.BackwardBias(dy, db);
    }
}
