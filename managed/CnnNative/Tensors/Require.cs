namespace CnnNative;

/// <summary>The checks that operations share.</summary>
internal static class Require
{
    public static void SameDevice(string operation, Tensor first, params ReadOnlySpan<Tensor?> others)
    {
        foreach (var other in others)
        {
            if (other is not null && other.Device != first.Device) throw new DeviceMismatchException(operation, first.Device, other.Device);
        }
    }

    public static void DType(string operation, string argument, Tensor tensor, DType expected)
    {
        if (tensor.DType != expected) throw new DTypeException(operation, argument, tensor.DType, expected);
    }

    /// <summary>Throws unless the engine of the tensor computes with its type of elements.</summary>
    public static void Computable(string operation, Tensor x)
    {
        var engine = x.Device.Engine;
        if (!engine.Computes(x.DType)) throw new EngineNotSupportedException(engine.Name, operation, $"data type {x.DType}");
    }

    public static void Rank(string operation, string argument, Tensor tensor, int rank, string meaning)
    {
        if (tensor.Rank != rank) throw new ShapeException(operation, $"{argument} has shape {tensor.Shape}, expected {rank} dimensions {meaning}");
    }

    public static void Shape(string operation, string argument, Tensor? tensor, Shape expected)
    {
        if (tensor is not null && tensor.Shape != expected)
            throw new ShapeException(operation, $"{argument} has shape {tensor.Shape}, expected {expected}");
    }
}
