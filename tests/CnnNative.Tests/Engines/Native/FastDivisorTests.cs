using CnnNative.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Division by multiplication gives the quotient, over the whole range that kernels divide.</summary>
[TestFixture]
public sealed class FastDivisorTests
{
    [Test]
    public void Every_quotient_is_right_around_its_steps(
        [Values(1, 2, 3, 5, 7, 9, 10, 25, 49, 64, 443, 641, 784, 3136, 65535, 65536, 65537, 1_000_003, (1 << 30) - 1, 1 << 30, (1 << 30) + 1, int.MaxValue)] int divisor)
    {
        var fast = new FastDivisor(divisor);
        var random = new Random(divisor);
        for (var i = 0; i < 2000; i++)
        {
            var multiple = (int)(random.NextInt64(int.MaxValue / divisor + 1L) * divisor);
            foreach (var value in (long[])[multiple - 1L, multiple, multiple + 1L, random.Next(), i, int.MaxValue - i])
            {
                if (value is < 0 or > int.MaxValue) continue;
                Assert.That(fast.Divide((int)value), Is.EqualTo(value / divisor), $"{value} / {divisor}");
            }
        }
    }
}
