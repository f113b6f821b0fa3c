"""A minimal Spark job, which shows what any spark-submit costs on this machine."""

from pyspark.sql import SparkSession

print(SparkSession.builder.getOrCreate().range(1000).count())
