namespace CnnNative.Autograd;

/// <summary>
/// A gradient rule: from the gradient of the output, the gradients of the inputs, in their order; null where an input
/// needs none. Every tensor returned is a new one of the rule's own (an <see cref="Tensor.Alias"/> of the gradient where it passes unchanged).
/// </summary>
/// <param name="gradient">Gradient of the loss by the operation's output; has the output's shape.</param>
/// <param name="needs">Which inputs need a gradient.</param>
internal delegate Tensor?[] GradientRule(Tensor gradient, bool[] needs);

/// <summary>One recorded operation: where its gradient goes, and how it is computed.</summary>
internal sealed class Node(string operation, Tensor?[] inputs, GradientRule rule)
{
    private static long count;
    private GradientRule? rule = rule;

    /// <summary>Grows with time, so that a node comes after every node it depends on.</summary>
    public long Sequence { get; } = Interlocked.Increment(ref count);

    public Tensor?[] Inputs { get; } = inputs;

    public Tensor?[] Apply(Tensor gradient)
    {
        if (rule is null)
            throw new InvalidOperationException($"Backward: the record of {operation} was already used; pass keepRecord: true to the first Backward to go through it twice");
        var needs = Array.ConvertAll(Inputs, input => input is { RequiresGrad: true });
        return rule(gradient, needs);
    }

    /// <summary>Lets go of what the rule saved.</summary>
    public void Forget() => rule = null;
}
