namespace CnnNative.Cli.Commands;

/// <summary>Numbers that parse but make no sense.</summary>
internal static class Check
{
    /// <summary>The value, if it is within its range.</summary>
    /// <param name="option">The option it was given with.</param>
    /// <param name="value">The value; null passes.</param>
    /// <param name="least">Smallest sensible value.</param>
    /// <param name="most">Largest sensible value.</param>
    /// <exception cref="UsageException">It is outside.</exception>
    public static long? Range(string option, long? value, long least, long most = long.MaxValue)
    {
        if (value < least) throw new UsageException($"{option} is {value}; it must be at least {least}");
        if (value > most) throw new UsageException($"{option} is {value}; it must be at most {most}");
        return value;
    }

    /// <summary>The value, if it is a finite number that is not negative, and positive if asked for.</summary>
    /// <param name="option">The option it was given with.</param>
    /// <param name="value">The value; null passes.</param>
    /// <param name="positive">Whether 0 is refused.</param>
    /// <exception cref="UsageException">It is not.</exception>
    public static float? Finite(string option, float? value, bool positive = false)
    {
        if (value is not { } number || (float.IsFinite(number) && (positive ? number > 0 : number >= 0))) return value;
        throw new UsageException($"{option} is {number}; it must be a number {(positive ? "above" : "from")} 0");
    }
}
