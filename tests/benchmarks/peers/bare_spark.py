"""The least that a spark-submit can do: what any job on this machine takes before it does anything."""

from pyspark.sql import SparkSession

print(SparkSession.builder.getOrCreate().range(1000).count())
