using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Many gradients as few launches: <c>while (launches.Next())</c> gives the arguments of each.</summary>
internal ref struct GradientLaunches(ReadOnlySpan<Tensor> gradients)
{
    /// <summary>Elements of one tensor that a block takes.</summary>
    private const int Piece = 4096;

    private readonly ReadOnlySpan<Tensor> gradients = gradients;
    private int next;

    /// <summary>The tensors of this launch.</summary>
    public GradientTensors Tensors;

    /// <summary>Its blocks.</summary>
    public int Blocks;

    /// <summary>Blocks of the launches before it.</summary>
    public int BlocksBefore;

    /// <summary>The launch of this group.</summary>
    public readonly LaunchConfiguration Launch => new(Blocks, MapLaunch.Threads);

    /// <summary>Blocks of all launches.</summary>
    public static int CountBlocks(ReadOnlySpan<Tensor> gradients)
    {
        long blocks = 0;
        foreach (var gradient in gradients) blocks += BlocksOf(gradient);
        return Index32.Of("gradients", blocks);
    }

    /// <summary>Goes to the next group of tensors; false after the last.</summary>
    public bool Next()
    {
        BlocksBefore += Blocks;
        (Tensors.Count, Blocks) = (0, 0);
        for (; next < gradients.Length && Tensors.Count < GradientTensors.Slots.Capacity; next++)
        {
            if (gradients[next].Count > 0) Add(gradients[next]);
        }

        return Tensors.Count > 0;
    }

    private void Add(Tensor gradient)
    {
        Require.DType("gradients", "a gradient", gradient, DType.Float32);
        using var view = gradient.OnDevice();
        Tensors.At[Tensors.Count++] = new() { Values = view, Count = gradient.Count, FirstBlock = Blocks };
        Blocks = Index32.Of("gradients", Blocks + BlocksOf(gradient));
    }

    private static long BlocksOf(Tensor gradient) => (gradient.Count + Piece - 1) / Piece;
}
