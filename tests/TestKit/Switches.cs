using NUnit.Framework;

namespace CnnNative.TestKit;

/// <summary>Environment variables that make a run longer.</summary>
public static class Switches
{
    /// <summary>Whether the full tables run (CNN_TEST_FULL=1).</summary>
    public static bool Full => Environment.GetEnvironmentVariable("CNN_TEST_FULL") == "1";

    /// <summary>Rows of a random table: few in an ordinary run, many in a full one.</summary>
    public static int Rows(int ordinary, int full) => Full ? full : ordinary;

    /// <summary>Skips a slow test, visibly, in an ordinary run.</summary>
    public static void RequireFull()
    {
        if (!Full) Assert.Ignore("slow; runs with CNN_TEST_FULL=1");
    }
}
