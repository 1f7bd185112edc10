"""Random models, run by Whet and by ONNX Runtime: what scripts/fuzz_operators is made of."""
