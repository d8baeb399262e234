namespace CnnNative.Autograd;

/// <summary>Records operations, so that their gradients can be computed.</summary>
internal static class Tape
{
    /// <summary>Whether an operation on these inputs will be recorded; if not, it need not compute what only its gradient uses.</summary>
    public static bool Records(params ReadOnlySpan<Tensor?> inputs)
    {
        if (!Scope.RecordsGradients) return false;
        foreach (var input in inputs)
        {
            if (input is { RequiresGrad: true }) return true;
        }

        return false;
    }

    /// <summary>Notes how <paramref name="output"/> came from <paramref name="inputs"/>, if any of them needs a gradient.</summary>
    public static Tensor Record(string operation, Tensor output, ReadOnlySpan<Tensor?> inputs, GradientRule rule)
    {
        if (Records(inputs)) output.SetProducer(new Node(operation, inputs.ToArray(), rule));
        return output;
    }
}
