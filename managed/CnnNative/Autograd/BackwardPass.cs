namespace CnnNative.Autograd;

/// <summary>
/// One reverse accumulation. Gradients of intermediate results are freed as soon as they are used; those of leaves are
/// added to <see cref="Tensor.Grad"/> and belong to the scope that was open at the call.
/// </summary>
internal sealed class BackwardPass(bool keepRecord)
{
    /// <summary>Gradients of results whose producer has not run yet; a producer runs after everything recorded later.</summary>
    private readonly Dictionary<Tensor, Tensor> pending = new(ReferenceEqualityComparer.Instance);

    private readonly PriorityQueue<Tensor, long> order = new();
    private readonly List<Tensor> leafGradients = [];

    /// <summary>Runs backwards from <paramref name="root"/>, whose own gradient is given.</summary>
    public void Run(Tensor root, Tensor gradient)
    {
        // The scope frees whatever is left when a rule throws.
        using var scope = root.Device.Inference();
        Deliver(root, gradient.Alias());
        while (order.TryDequeue(out var output, out _)) Propagate(output);
        foreach (var leafGradient in leafGradients) leafGradient.Keep();
    }

    private void Propagate(Tensor output)
    {
        pending.Remove(output, out var gradient);
        using (gradient)
        {
            var node = output.Producer!;
            var gradients = node.Apply(gradient!);
            for (var i = 0; i < gradients.Length; i++)
            {
                if (gradients[i] is { } inputGradient) Deliver(node.Inputs[i]!, inputGradient);
            }

            if (!keepRecord) node.Forget();
        }
    }

    private void Deliver(Tensor target, Tensor gradient)
    {
        if (target.Producer is null)
        {
            DeliverToLeaf(target, gradient);
        }
        else if (pending.TryGetValue(target, out var sum))
        {
            pending[target] = Accumulate(sum, gradient);
        }
        else
        {
            pending[target] = gradient;
            order.Enqueue(target, -target.Producer.Sequence);
        }
    }

    /// <summary>Adds to the leaf's gradient, which shares its memory with nobody: a user may change it in place.</summary>
    private void DeliverToLeaf(Tensor leaf, Tensor gradient)
    {
        var sum = leaf.Grad is { } earlier ? Accumulate(earlier, gradient) : OfItsOwn(gradient);
        if (leaf.Grad == sum) return;
        leaf.SetGrad(sum);
        leafGradients.Add(sum);
    }

    private static Tensor OfItsOwn(Tensor gradient)
    {
        if (!gradient.SharesMemory) return gradient;
        using (gradient) return gradient.Clone();
    }

    /// <summary>sum + gradient, in place where nobody else sees the memory of the sum. Takes both.</summary>
    private static Tensor Accumulate(Tensor sum, Tensor gradient)
    {
        using (gradient)
        {
            if (!sum.SharesMemory)
            {
                sum.Device.Engine.Elementwise.Add(sum, gradient, sum);
                return sum;
            }

            var fresh = Tensor.Empty(sum.Shape, sum.DType, sum.Device, sum.Layout);
            sum.Device.Engine.Elementwise.Add(sum, gradient, fresh);
            sum.Dispose();
            return fresh;
        }
    }
}
