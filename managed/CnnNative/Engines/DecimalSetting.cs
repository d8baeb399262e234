namespace CnnNative.Engines;

/// <summary>
/// The decimal number that was meant by a float setting: 0.999, not 0.99900001. 1 - 0.999f would differ from 0.001 in
/// the fifth digit, and with it the running mean of squares from what double-precision settings give.
/// </summary>
internal static class DecimalSetting
{
    /// <summary>The number with the seven digits that a float was written with.</summary>
    public static double Of(float setting) => (double)(decimal)setting;
}
