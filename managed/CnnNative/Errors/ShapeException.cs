namespace CnnNative;

/// <summary>An operation was given tensors whose shapes do not fit it. The message names the operation, the shapes and what was expected.</summary>
public sealed class ShapeException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="operation">Name of the operation, as the user calls it.</param>
    /// <param name="problem">The values found and what was expected.</param>
    public ShapeException(string operation, string problem)
        : base($"{operation}: {problem}") => Operation = operation;

    /// <summary>Name of the operation that refused its arguments.</summary>
    public string Operation { get; }
}
