using BenchmarkDotNet.Running;
using CnnNative.Benchmarks;

// "compare THREADS [FILTER]" measures what bench/peers/pytorch_cpu.py measures, for bench/compare-cpu;
// anything else goes to BenchmarkDotNet, e.g. "--filter *Convolution*".
if (args is ["compare", var threads, ..]) return Compare.Run(int.Parse(threads), args.Length > 2 ? args[2] : "");
BenchmarkSwitcher.FromAssembly(typeof(Compare).Assembly).Run(args);
return 0;
