namespace CnnNative;

/// <summary>An engine cannot do an operation; nothing falls back in silence.</summary>
public sealed class EngineNotSupportedException : NotSupportedException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="engine">Name of the engine.</param>
    /// <param name="operation">Name of the operation.</param>
    /// <param name="detail">Shape, data type or layout that it cannot do.</param>
    public EngineNotSupportedException(string engine, string operation, string detail)
        : base($"{operation}: the {engine} engine does not support {detail}")
    {
        Engine = engine;
        Operation = operation;
    }

    /// <summary>Name of the engine.</summary>
    public string Engine { get; }

    /// <summary>Name of the operation.</summary>
    public string Operation { get; }
}
