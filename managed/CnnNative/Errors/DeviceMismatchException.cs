namespace CnnNative;

/// <summary>The tensors of one operation live on different devices.</summary>
public sealed class DeviceMismatchException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="operation">Name of the operation.</param>
    /// <param name="first">Device of the first tensor.</param>
    /// <param name="second">The device that differs.</param>
    public DeviceMismatchException(string operation, Device first, Device second)
        : base($"{operation}: tensors on different devices ({first} and {second}); move one with To(device)") => Operation = operation;

    /// <summary>Name of the operation.</summary>
    public string Operation { get; }
}
