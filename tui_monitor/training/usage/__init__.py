"""Processor, memory and GPUs of the training process, sampled by a thread beside `fit`; open `system_usage` first."""
