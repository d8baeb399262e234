namespace CnnNative;

/// <summary>An operation was given a tensor of a data type that it does not take.</summary>
public sealed class DTypeException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="operation">Name of the operation.</param>
    /// <param name="argument">Name of the argument.</param>
    /// <param name="found">The data type found.</param>
    /// <param name="expected">The data type expected.</param>
    public DTypeException(string operation, string argument, DType found, DType expected)
        : base($"{operation}: {argument} has data type {found}, expected {expected}")
    {
        Operation = operation;
        Found = found;
        Expected = expected;
    }

    /// <summary>Name of the operation that refused its argument.</summary>
    public string Operation { get; }

    /// <summary>The data type found.</summary>
    public DType Found { get; }

    /// <summary>The data type expected.</summary>
    public DType Expected { get; }
}
