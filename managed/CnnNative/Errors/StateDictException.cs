namespace CnnNative;

/// <summary>A state dictionary does not fit the model: names are missing or unknown, or a shape or data type differs.</summary>
public sealed class StateDictException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="problem">Which entries do not fit, and why.</param>
    public StateDictException(string problem) : base(problem)
    {
    }
}
