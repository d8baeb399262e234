using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Many gradients as few launches, one type after the other: <c>while (launches.Next())</c> gives the arguments of each.</summary>
internal ref struct GradientLaunches
{
    private readonly ReadOnlySpan<Tensor> gradients;
    private int next, type;

    /// <summary>The tensors of this launch.</summary>
    public GradientTensors Tensors;

    /// <summary>Its blocks.</summary>
    public int Blocks;

    /// <summary>Blocks of the launches before it.</summary>
    public int BlocksBefore;

    /// <summary>Prepares launches over gradients of any floating-point types.</summary>
    /// <exception cref="DTypeException">A gradient does not hold floating-point numbers.</exception>
    public GradientLaunches(ReadOnlySpan<Tensor> gradients)
    {
        this.gradients = gradients;
        foreach (var gradient in gradients)
        {
            if (!gradient.DType.IsFloating()) throw new DTypeException("gradients", "a gradient", gradient.DType, DType.Float32);
        }
    }

    /// <summary>The type of its elements.</summary>
    public readonly DType Type => Kernels.Types[type];

    /// <summary>The launch of this group.</summary>
    public readonly LaunchConfiguration Launch => new(Blocks, MapLaunch.Threads);

    /// <summary>Blocks of all launches.</summary>
    public static int CountBlocks(ReadOnlySpan<Tensor> gradients)
    {
        long blocks = 0;
        foreach (var gradient in gradients) blocks += ParameterPieces.Blocks(gradient.Count);
        return Index32.Of("gradients", blocks);
    }

    /// <summary>Goes to the next group of tensors; false after the last.</summary>
    public bool Next()
    {
        BlocksBefore += Blocks;
        (Tensors.Count, Blocks) = (0, 0);
        Collect();
        while (Tensors.Count == 0 && type + 1 < Kernels.Types.Length)
        {
            (type, next) = (type + 1, 0);
            Collect();
        }

        return Tensors.Count > 0;
    }

    private void Collect()
    {
        for (; next < gradients.Length && Tensors.Count < GradientTensors.Slots.Capacity; next++)
        {
            if (gradients[next].DType == Type && gradients[next].Count > 0) Add(gradients[next]);
        }
    }

    private void Add(Tensor gradient)
    {
        using var view = gradient.OnDevice();
        Tensors.At[Tensors.Count++] = new() { Values = view, Count = gradient.Count, FirstBlock = Blocks };
        Blocks = Index32.Of("gradients", Blocks + ParameterPieces.Blocks(gradient.Count));
    }
}
