namespace CnnNative.TestKit;

/// <summary>Arrays in the other precision.</summary>
public static class Cast
{
    public static double[] Double(float[] values) => Array.ConvertAll(values, value => (double)value);

    public static float[] Float(double[] values) => Array.ConvertAll(values, value => (float)value);
}
