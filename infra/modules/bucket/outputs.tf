output "id" {
  description = "Name of the bucket, once it is versioned."
  value       = aws_s3_bucket.this.bucket

  depends_on = [aws_s3_bucket_versioning.this]
}

output "arn" {
  description = "ARN of the bucket, once it is versioned."
  value       = aws_s3_bucket.this.arn

  depends_on = [aws_s3_bucket_versioning.this]
}
