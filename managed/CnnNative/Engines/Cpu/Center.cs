namespace CnnNative.Engines.Cpu;

/// <summary>
/// What distances in a channel are counted from: about its mean, so that little cancels. Not an infinity or NaN, which would make every distance
/// NaN: then the mean is that of the elements themselves, an infinity where all infinite ones have its sign.
/// </summary>
internal static class Center
{
    /// <summary>The center for elements with about this mean.</summary>
    public static float Of(double mean) => float.IsFinite((float)mean) ? (float)mean : 0f;
}
